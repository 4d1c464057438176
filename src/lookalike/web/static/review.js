/** Reviewing groups: a rail of all groups, one of them on the stage, and a decision about it. */

import { get, post } from "./api.js";
import { announce, h, refill, toolWords } from "./dom.js";
import { Decisions } from "./decisions.js";
import { fatesTable } from "./fates.js";
import { fromPixelCentres, invert, multiply } from "./geometry.js";
import { relationLabel } from "./grid.js";
import { icon } from "./icons.js";
import { listen } from "./keys.js";
import { openHistory } from "./history.js";
import { PlanSheet } from "./plan.js";
import { Rail } from "./rail.js";
import { RuleSheet } from "./rules.js";
import { Stage } from "./stage.js";
import { stageKeys, stageTools } from "./stage_tools.js";
import { problemBox } from "./problem_box.js";
import { onStage } from "./viewer.js";
import { bytes, day, fileName, said, t } from "./words.js";

const PAGE = 100;
const WHOLE_PAGE = 500;
const ON_STAGE = 6;

/** The review of one report; `form` starts another run and stands in the head, `reload` fetches the report anew. */
export class Review {
  constructor(report, form, reload) {
    this.reload = reload;
    this.report = report;
    this.groups = report.groups;
    this.n_asked = Math.min(PAGE, report.total_groups);
    this.decisions = new Decisions(report, { onProblem: (problem) => this.#showProblem(problem), onForeign: () => this.refresh() });
    this.chosen = 1;
    this.head = h("header", { class: "review-head" });
    this.problems = h("div", { class: "review-problems" });
    this.rail = new Rail(this.decisions, {
      onChoose: (group) => this.#show(group, { takesFocus: true }),
      onEnd: () => this.#loadMore(),
    });
    this.desk = h("section", { class: "desk", "aria-labelledby": "group-title" });
    this.form = form;
    this.element = h("div", { class: "review" }, this.head, this.problems, this.rail.element, this.desk);
    this.release_keys = listen(t("nav.duplicates"), this.#keys());
  }

  /** Show the group that the address names, else the first one that is open. */
  async start() {
    this.rail.append(this.groups);
    this.#watchEnd();
    this.#showHead();
    this.onVisible = () => document.visibilityState === "visible" && this.#sync();
    for (const name of ["focus", "visibilitychange"]) addEventListener(name, this.onVisible);
    const named = await this.#named();
    if (this.isReleased) return;
    const isOpen = (group) => this.decisions.of(group).state === null;
    while (!named && !this.groups.some(isOpen) && (await this.#loadMore()));
    const group = named ?? this.groups.find(isOpen) ?? this.groups[0];
    if (this.isReleased) return;
    if (group) this.#show(group);
    else refill(this.desk, h("p", { class: "waiting-line lonely" }, t("review.nofiles")));
  }

  /** Follow the address. */
  async goToAddress() {
    const group = await this.#named();
    if (group && group !== this.group) this.#show(group);
  }

  /** Stop listening. */
  release() {
    this.isReleased = true;
    for (const name of ["focus", "visibilitychange"]) removeEventListener(name, this.onVisible);
    this.release_keys();
    this.rail.release();
    this.stage?.release();
  }

  /** Fetch the groups that are not there yet. */
  async loadAll() {
    while (await this.#loadMore(WHOLE_PAGE));
    return this.groups;
  }

  /** Show everything anew after decisions were made elsewhere. */
  refresh() {
    for (const group of this.groups) this.rail.showState(group);
    this.#showHead();
    this.#showDecision();
  }

  /** Return the group that the address names, fetched where it is not there yet. */
  async #named() {
    const number = Number(new URLSearchParams(location.search).get("group"));
    while (number > this.n_asked && (await this.#loadMore(WHOLE_PAGE)));
    return this.groups.find((group) => group.number === number);
  }

  /** Take in what was decided in another tab or on another device. */
  async #sync() {
    try {
      await this.decisions.sync();
    } catch (problem) {
      this.#showProblem(problem);
    }
  }

  #showProblem(problem) {
    refill(this.problems, problemBox(problem, () => this.reload()));
  }

  /** Fetch the next groups of the report; a page can have fewer, as files went meanwhile. */
  async #loadMore(limit = PAGE) {
    while (this.isLoading) await this.isLoading;
    if (this.n_asked >= this.report.total_groups || this.isReleased) return false;
    let loaded;
    this.isLoading = new Promise((resolve) => (loaded = resolve));
    try {
      const { groups } = await get("/duplicates", new URLSearchParams({ offset: this.n_asked, limit }));
      this.n_asked += limit;
      this.decisions.take(groups);
      this.groups.push(...groups);
      this.rail.append(groups);
      return true;
    } finally {
      loaded();
      this.isLoading = null;
      this.#watchEnd();
    }
  }

  #watchEnd() {
    this.rail.watchEnd(this.n_asked < this.report.total_groups);
  }

  // The head

  #showHead() {
    const { n_accepted: accepted, accepted_bytes: saved, n_done: done, left_bytes: left } = this.decisions.totals;
    const { total_groups: n, made_at: made, n_added_since: added } = this.report;
    refill(
      this.head,
      h(
        "div",
        { class: "review-words" },
        h("h1", {}, t("review.title", { n: n - done })),
        h("p", { class: "soft" }, t("review.saved", { size: bytes(left) }), done > 0 && ` · ${t("review.putaway", { n: done })}`, made && h("span", { class: "for-wide" }, ` · ${t("review.made", { when: day(made, { withTime: true }) })}`)),
        added > 0 && h("p", { class: "review-outdated" }, icon("warning"), t("review.added", { n: added })),
      ),
      h(
        "div",
        { class: "row" },
        this.form,
        h("button", { type: "button", class: "button", on: { click: () => this.#openRules() } }, icon("filter"), toolWords(t("rules.open"))),
        h("button", { type: "button", class: "button history-button", on: { click: () => this.#openHistory() } }, icon("undo"), toolWords(t("history.open"))),
        h(
          "button",
          { type: "button", class: "button strong", disabled: accepted === 0, on: { click: () => this.#openPlan() } },
          icon("plan"),
          accepted ? t("plan.openfor", { n: accepted, size: bytes(saved) }) : t("plan.open"),
        ),
      ),
    );
  }

  // The desk

  #show(group, { takesFocus = this.desk.contains(document.activeElement) } = {}) {
    this.group = group;
    this.chosen = 1;
    history.replaceState(history.state, "", `/duplicates?group=${group.number}`);
    this.rail.mark(group);
    this.#buildDesk();
    if (takesFocus) this.#takeFocus();
    announce(t("review.item", { number: group.number, n: group.members.length + 1, size: bytes(group.saved_bytes) }));
  }

  #buildDesk() {
    const mode = this.stage?.mode ?? "side";
    this.stage?.release();
    const pictures = this.#onStage();
    this.stage = new Stage({ pictures, mode });
    this.banner = h("div", { class: "decision", role: "group", "aria-label": t("review.decision") });
    this.facts = h("div", { class: "desk-facts" });
    refill(
      this.desk,
      h("div", { class: "desk-head" }, h("h2", { id: "group-title", tabindex: "-1" }, t("review.group", { number: this.group.number, total: this.report.total_groups })), relationLabel(this.group.relation), this.#steps()),
      stageTools(this.stage),
      this.stage.element,
      this.banner,
      this.facts,
    );
    this.#showDecision();
    this.#showOther(Decisions.picturesOf(this.group)[this.chosen]);
  }

  #steps() {
    const step = (name, words, by) => h("button", { type: "button", class: "button quiet", title: t(words), "aria-label": t(words), on: { click: () => this.#step(by) } }, icon(name));
    return h("span", { class: "steps" }, step("left", "review.previous", -1), step("right", "review.next", 1));
  }

  /** The keeper comes first, for the others are laid on it; then the members, at most as many as fit. */
  #onStage() {
    const keeper = this.decisions.keeperOf(this.group);
    const ownMatrix = (picture) => (picture.proof?.matrix ? fromPixelCentres(picture.proof.matrix) : null);
    const toKeeper = ownMatrix(keeper);
    const others = Decisions.picturesOf(this.group).filter((picture) => picture !== keeper);
    this.order = [keeper, ...others].slice(0, ON_STAGE);
    const chosen = Decisions.picturesOf(this.group)[this.chosen];
    if (!this.order.includes(chosen)) this.order[this.order.length - 1] = chosen;
    return this.order.map((picture) => {
      const placed = onStage(picture, this.#nameOf(picture), picture === keeper ? null : (picture.proof ?? keeper.proof));
      const isSuggested = keeper === this.group.keeper;
      if (picture === keeper) return { ...placed, matrix: null };
      if (isSuggested) return placed;
      const fromSuggested = picture === this.group.keeper ? [[1, 0, 0], [0, 1, 0], [0, 0, 1]] : ownMatrix(picture);
      return { ...placed, outline: [], matrix: toKeeper && fromSuggested ? multiply(fromSuggested, invert(toKeeper)) : null };
    });
  }

  #nameOf(picture) {
    const place = Decisions.picturesOf(this.group).indexOf(picture) + 1;
    return `${place} · ${fileName(picture.path)}`;
  }

  #showDecision() {
    const { group } = this;
    if (!group || !this.banner) return;
    const decision = this.decisions.of(group);
    const keeper = this.decisions.keeperOf(group);
    const removals = this.decisions.removalsOf(group);
    const isDone = decision.state === "done";
    const why = keeper === group.keeper ? t("review.why", { why: said(group.why) }) : t("review.yours");
    refill(
      this.banner,
      h("p", { class: "decision-words" }, h("strong", {}, t(stateWords(decision, keeper === group.keeper), { n: removals.length })), ` ${isDone ? "" : why}`),
      h(
        "div",
        { class: "row" },
        h("button", { type: "button", class: "button strong", disabled: isDone || removals.length === 0, on: { click: () => this.#accept() } }, icon("check"), t("review.accept", { n: removals.length, size: bytes(this.decisions.savedOf(group)) }), h("kbd", {}, "↵")),
        h("button", { type: "button", class: "button", disabled: isDone, on: { click: () => this.#setApart() } }, icon("differs"), toolWords(t("review.notduplicate")), h("kbd", {}, "X")),
        h("button", { type: "button", class: "button", disabled: isDone || decision.state === null, on: { click: () => this.#takeBack() } }, icon("undo"), toolWords(t("review.takeback"))),
      ),
    );
    refill(this.facts, fatesTable(group, this.decisions, { chosen: this.chosen, onChoose: (place) => this.#choose(place), onKeep: (place) => this.#keep(place) }));
  }

  // Deciding

  #keep(place) {
    const picture = Decisions.picturesOf(this.group)[place];
    if (!picture || this.decisions.of(this.group).state === "done") return;
    const { apart } = this.decisions.of(this.group);
    this.decisions.set(this.group, { keeper: picture.path, apart: apart.filter((path) => path !== picture.path) });
    this.chosen = place === 0 ? 1 : 0;
    const hadFocus = this.desk.contains(document.activeElement);
    this.#buildDesk();
    if (hadFocus) this.#takeFocus();
    this.#changed(t("review.keeps", { name: fileName(picture.path) }));
  }

  #choose(place) {
    if (place < 0 || place > this.group.members.length) return;
    this.chosen = place;
    const picture = Decisions.picturesOf(this.group)[place];
    const hadFocus = this.facts.contains(document.activeElement);
    if (this.order.includes(picture)) this.#showOther(picture);
    else this.#buildDesk();
    const buttons = [...this.facts.querySelectorAll(".fact-picture")];
    buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(number === place)));
    buttons[place].scrollIntoView({ block: "nearest", inline: "nearest" });
    if (hadFocus) buttons[place].focus({ preventScroll: true });
  }

  /** Compare a picture that is on the stage with the keeper. */
  #showOther(picture) {
    const place = this.order.indexOf(picture);
    if (place > 0) this.stage.setOther(place);
  }

  #accept() {
    const { state } = this.decisions.of(this.group);
    if (state === "done" || this.decisions.removalsOf(this.group).length === 0) return;
    this.decisions.set(this.group, { state: "accepted" });
    this.#changed(t("review.accepted"));
    this.#step(1);
  }

  /** Say that the chosen picture is no duplicate of the keeper; said again, it is taken back. */
  async #setApart() {
    const { group } = this;
    const picture = Decisions.picturesOf(group)[this.chosen];
    const keeper = this.decisions.keeperOf(group);
    if (!picture || picture === keeper) return;
    if (picture.id === keeper.id) {
      announce(t("review.samebytes"));
      refill(this.banner.querySelector(".decision-words"), t("review.samebytes"));
      return;
    }
    const decision = this.decisions.of(group);
    const isApart = !decision.apart.includes(picture.path);
    const apart = isApart ? [...decision.apart, picture.path] : decision.apart.filter((path) => path !== picture.path);
    try {
      await post("/verdicts", { first: keeper.id, second: picture.id, is_duplicate: isApart ? false : null }, { isRepeatable: true });
    } catch (problem) {
      refill(this.banner.querySelector(".decision-words"), problem.message);
      return;
    }
    const areAllApart = apart.length >= group.members.length;
    this.decisions.set(group, { apart, state: areAllApart ? "apart" : decision.state === "apart" ? null : decision.state });
    this.#changed(t(isApart ? "review.setapart" : "review.setback", { name: fileName(picture.path) }));
    if (areAllApart && group === this.group) this.#step(1);
  }

  #takeBack() {
    if (this.decisions.of(this.group).state === "done") return;
    this.decisions.set(this.group, { state: null });
    this.#changed(t("review.takenback"));
  }

  #takeFocus() {
    this.desk.querySelector("#group-title").focus({ preventScroll: true });
  }

  #changed(words) {
    this.decisions.sending.then(() => this.#showHead());
    const hadFocus = this.desk.contains(document.activeElement);
    this.rail.showState(this.group);
    this.#showHead();
    this.#showDecision();
    if (hadFocus && document.activeElement === document.body) this.#takeFocus();
    announce(words);
  }

  async #step(by) {
    const place = this.groups.indexOf(this.group) + by;
    if (place >= this.groups.length) await this.#loadMore();
    const group = this.groups[place];
    if (group) this.#show(group);
    else announce(t(by > 0 ? "review.last" : "review.first"));
  }

  // Rules, plan and undo

  async #openRules() {
    await this.loadAll();
    new RuleSheet(this.groups, this.decisions, () => this.refresh()).open();
  }

  async #openPlan() {
    await this.decisions.sending;
    if (this.decisions.totals.n_accepted === 0) {
      announce(t("plan.nothing"));
      return;
    }
    new PlanSheet(this.report.report_id, this.reload).open();
  }

  #openHistory() {
    openHistory(this.reload);
  }

  #keys() {
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({ key: String(n), run: () => this.#keep(n - 1) }));
    numbers[0] = { ...numbers[0], shown: ["1", "…", "9"], words: "review.keykeep" };
    const isWhole = () => this.stage.view.zoom === 1;
    const sideways = (by, pan) => () => (isWhole() ? this.#choose(this.chosen + by) : this.stage.panBy(pan, 0));
    return [
      { key: "j", words: "review.next", run: () => this.#step(1) },
      { key: "k", words: "review.previous", run: () => this.#step(-1) },
      { key: "Enter", words: "review.keyaccept", run: () => this.#accept() },
      { key: "x", words: "review.notduplicate", run: () => this.#setApart() },
      ...numbers,
      { key: "ArrowLeft", shown: ["←", "→"], words: "review.keychoose", run: sideways(-1, 80) },
      { key: "ArrowRight", run: sideways(1, -80) },
      { key: "Backspace", words: "review.takeback", run: () => this.#takeBack() },
      { key: "r", words: "rules.open", run: () => this.#openRules() },
      { key: "p", words: "plan.open", run: () => this.#openPlan() },
      ...stageKeys(() => this.stage).filter(({ key }) => !["0", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(key)),
      { key: "0", run: () => this.stage.reset() },
    ];
  }
}

function stateWords({ state }, isSuggested) {
  if (state) return `review.${state}`;
  return isSuggested ? "review.suggestion" : "review.chosen";
}
