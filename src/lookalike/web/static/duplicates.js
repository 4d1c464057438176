/** The duplicates page: start a search for them, then review its groups. */

import { get } from "./api.js";
import { h, refill, toolWords } from "./dom.js";
import { openHistory } from "./history.js";
import { icon } from "./icons.js";
import { JobPanel } from "./jobs.js";
import { problemBox } from "./problem_box.js";
import { RELATIONS } from "./question.js";
import { Review } from "./review.js";
import { bytes, day, t } from "./words.js";

const RULES = ["holds-more", "first-hand", "most-pixels", "unedited", "original-format", "richest-metadata", "lossless", "least-compressed", "best-place", "most-links", "oldest", "shortest-path"];

/** Show the duplicates page in an element; returns what the shell calls. */
export function mountDuplicates(main) {
  const page = new DuplicatesPage(main);
  page.load();
  return page;
}

class DuplicatesPage {
  constructor(main) {
    this.main = main;
    this.body = h("div", { class: "duplicates-body" });
    this.job = new JobPanel({
      kind: "duplicates",
      onEnd: (job) => job?.state === "done" && this.load(),
      onState: (runs) => main.classList.toggle("runs", runs),
    });
    this.form = h("details", { class: "run-form" });
    this.form.append(h("summary", {}, icon("again"), toolWords(t("duplicates.again"))), this.#form());
    refill(main, h("div", { class: "duplicates" }, this.job.element, this.body));
    this.job.attach().catch((problem) => refill(this.job.element, problemBox(problem)));
  }

  /** Follow the address: the group that it names. */
  update() {
    this.review?.goToAddress();
  }

  /** Leave the page. */
  unmount() {
    this.main.classList.remove("runs");
    this.job.release();
    this.review?.release();
    this.isLeft = true;
  }

  /** Show the last report, or how to get one. */
  async load() {
    if (!this.review) refill(this.body, h("p", { class: "waiting-line lonely" }, t("duplicates.loading")));
    try {
      const report = await get("/duplicates", new URLSearchParams({ offset: 0, limit: 100 }));
      if (this.isLeft) return;
      this.review?.release();
      const isLeft = report.total_groups > 0 && report.decided.n_done < report.total_groups;
      this.review = isLeft ? new Review(report, this.form, () => this.load()) : null;
      refill(this.body, this.review?.element ?? (report.report_id === null ? this.#invite() : this.#clean(report)));
      this.review?.start();
    } catch (problem) {
      if (this.isLeft) return;
      refill(this.body, problemBox(problem, () => this.load()));
    }
  }

  #invite() {
    this.form.open = true;
    return h("div", { class: "empty invite" }, icon("copies"), h("h1", {}, t("duplicates.title")), h("p", {}, t("duplicates.why")), this.#form(), this.#history());
  }

  #history() {
    return h("p", {}, h("button", { type: "button", class: "button history-button", on: { click: () => openHistory(() => this.load()) } }, icon("undo"), t("history.open")));
  }

  /** Nothing is left of the last run; it says when that was, and what it did not see. */
  #clean(report) {
    const isDone = report.total_groups > 0;
    const added = report.n_added_since;
    return h(
      "div",
      { class: "empty" },
      icon(added > 0 ? "warning" : "check"),
      h("h1", {}, isDone ? t("duplicates.alldone", { n: report.total_groups }) : t("duplicates.none")),
      h("p", {}, isDone ? t("duplicates.alldonewhy", { size: bytes(report.decided.done_bytes) }) : t("duplicates.nonewhy", { n: report.compared ?? 0 })),
      h("p", { class: "soft" }, t("review.made", { when: day(report.made_at, { withTime: true }) })),
      added > 0 && h("p", { class: "review-outdated" }, t("review.added", { n: added })),
      this.form,
      this.#history(),
    );
  }

  #form() {
    const relation = h("select", { name: "relation" }, RELATIONS.map((name) => h("option", { value: name, selected: name === "copy" }, t("filter.orcloser", { relation: t(`relation.${name}`) }))));
    const rule = h("select", { name: "rule" }, h("option", { value: "" }, t("rule.usual")), RULES.map((name) => h("option", { value: name }, t(`rule.${name}`))));
    const against = h("input", { name: "against", autocomplete: "off", spellcheck: "false" });
    const protect = h("textarea", { name: "protect", rows: 2, spellcheck: "false" });
    const submit = (event) => {
      event.preventDefault();
      this.form.open = false;
      this.job.start({
        relation: relation.value,
        against: against.value.trim() || null,
        protect: protect.value.split("\n").map((line) => line.trim()).filter(Boolean),
        rules: rule.value ? [rule.value, ...RULES.filter((name) => name !== rule.value)] : [],
      });
    };
    const field = (words, control, hint = null) => h("label", { class: "field" }, h("span", {}, t(words)), control, hint && h("small", {}, t(hint)));
    return h(
      "form",
      { class: "run-fields", on: { submit } },
      field("duplicates.relation", relation),
      field("duplicates.rule", rule),
      h("details", {}, h("summary", {}, t("duplicates.more")), field("duplicates.against", against, "duplicates.againsthint"), field("duplicates.protect", protect, "duplicates.protecthint")),
      h("button", { class: "button strong" }, icon("start"), t("duplicates.start")),
    );
  }
}
