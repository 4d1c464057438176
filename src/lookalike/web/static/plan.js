/** The plan: shown before anything happens, then applied; and undoing what was done last. */

import { post, thumbnailAddress } from "./api.js";
import { announce, h, refill, toolWords } from "./dom.js";
import { icon } from "./icons.js";
import { problemBox } from "./problem_box.js";
import { openSheet } from "./sheet.js";
import { bytes, number, said, showPath, t } from "./words.js";

const ACTS = ["trash", "quarantine", "hardlink", "symlink"];
const SHOWN_ROWS = 200;

/** A sheet with the plan for the accepted groups. */
export class PlanSheet {
  constructor(reportId, groups, decisions, onChange, onUndo) {
    Object.assign(this, { reportId, groups, decisions, onChange, onUndo });
    this.act = "trash";
    this.quarantine = "";
  }

  /** Make the plan and show it. */
  open() {
    this.body = h("div", { class: "plan-body" });
    this.sheet = openSheet({ title: t("plan.title"), name: "plan", content: [this.#choice(), this.body], onClose: () => this.asking?.abort() });
    this.#make();
  }

  #choice() {
    const folder = h("label", { class: "field", hidden: true }, h("span", {}, t("plan.quarantine")), h("input", { name: "quarantine", spellcheck: "false", placeholder: "/…", on: { change: (event) => this.#choose(this.act, event.target.value.trim()) } }));
    const select = h("select", { name: "act", on: { change: () => ((folder.hidden = select.value !== "quarantine"), this.#choose(select.value, this.quarantine)) } }, ACTS.map((act) => h("option", { value: act }, t(`act.${act}`))));
    return h("div", { class: "plan-choice" }, h("label", { class: "field" }, h("span", {}, t("plan.act")), select), folder);
  }

  #choose(act, quarantine) {
    this.act = act;
    this.quarantine = quarantine;
    this.#make();
  }

  async #make() {
    this.asking?.abort();
    this.asking = new AbortController();
    if (this.act === "quarantine" && !this.quarantine) {
      refill(this.body, h("p", { class: "soft" }, t("plan.folderfirst")));
      return;
    }
    refill(this.body, h("p", { class: "waiting-line", role: "status" }, t("plan.making")));
    try {
      const wish = {
        report_id: this.reportId,
        act: this.act,
        quarantine: this.act === "quarantine" ? this.quarantine : null,
        groups: this.groups.map((group) => this.decisions.forPlan(group)),
      };
      const plan = await post("/plans", wish, { signal: this.asking.signal, isRepeatable: true });
      this.#show(plan);
    } catch (problem) {
      if (problem.name !== "AbortError") refill(this.body, problemBox(problem, () => this.#make()));
    }
  }

  #show(plan) {
    const thumbnails = new Map(this.groups.flatMap((group) => [group.keeper, ...group.members].map((picture) => [picture.path, picture.id])));
    const apply = h("button", { type: "button", class: "button strong", disabled: plan.n_files === 0, on: { click: () => this.#apply(plan, apply) } }, icon("check"), t(`plan.apply.${this.act}`, { n: plan.n_files }));
    refill(
      this.body,
      h("p", { class: "plan-words" }, t("plan.words", { n: plan.n_files, size: bytes(plan.saved_bytes) }), " ", h("span", { class: "soft" }, t("plan.undoable"))),
      leftOut(plan.left_out),
      h(
        "div",
        { class: "plan-rows", tabindex: "0", role: "region", "aria-label": t("plan.list") },
        h("ul", {}, plan.removals.slice(0, SHOWN_ROWS).map((removal) => rowOf(removal, thumbnails))),
        plan.removals.length > SHOWN_ROWS && h("p", { class: "soft" }, t("plan.morerows", { n: plan.removals.length - SHOWN_ROWS })),
      ),
      h("div", { class: "row plan-acts" }, apply, h("button", { type: "button", class: "button", on: { click: () => this.sheet.close() } }, t("cancel"))),
    );
    announce(t("plan.words", { n: plan.n_files, size: bytes(plan.saved_bytes) }));
    apply.focus();
  }

  async #apply(plan, button) {
    button.disabled = true;
    refill(button, t("plan.applying"));
    try {
      const report = await post(`/plans/${encodeURIComponent(plan.id)}/apply`);
      for (const group of this.groups) this.decisions.setGone(group, report.done);
      this.onChange();
      this.#showDone(report);
    } catch (problem) {
      this.body.prepend(problemBox(problem));
      button.remove();
    }
  }

  #showDone(report) {
    const words = t("plan.done", { n: report.done.length, size: bytes(report.bytes_saved ?? 0) });
    refill(
      this.body,
      h("p", { class: "plan-words plan-done", role: "status" }, icon("check"), words),
      remarks(report.skipped, "plan.skipped"),
      remarks(report.remarks, "plan.remarks"),
      h("div", { class: "row plan-acts" }, undoButton((restored) => this.#undone(restored)), h("button", { type: "button", class: "button strong", on: { click: () => this.sheet.close() } }, t("close"))),
    );
    announce(words);
    this.body.querySelector(".plan-acts .strong").focus();
  }

  #undone(restored) {
    this.onUndo(restored);
    this.sheet.close();
  }
}

function rowOf(removal, thumbnails) {
  const picture = (path) => (thumbnails.has(path) ? h("img", { src: thumbnailAddress(thumbnails.get(path), 128), alt: "", loading: "lazy" }) : null);
  return h(
    "li",
    { class: "plan-row" },
    picture(removal.path),
    h("p", {}, h("span", { class: "path" }, showPath(removal.path)), h("span", { class: "soft" }, `${bytes(removal.size_bytes)} · ${t(`relation.${removal.relation}`)} · ${t("plan.keeps")} `, h("span", { class: "path" }, showPath(removal.keeper)))),
  );
}

function leftOut(rows) {
  return remarks(rows, "plan.leftout");
}

function remarks(rows, words) {
  if (!rows?.length) return null;
  return h(
    "details",
    { class: "remarks", open: rows.length <= 5 },
    h("summary", {}, icon("warning"), t(words, { n: rows.length })),
    h("ul", {}, rows.map((row) => h("li", {}, h("span", { class: "path" }, showPath(row.path)), ` – ${said(row.reason)}`))),
  );
}

/** Return the button that undoes what was applied last; `onUndone` gets the paths that are back. */
export function undoButton(onUndone) {
  const undo = async () => {
    button.disabled = true;
    try {
      const report = await post("/undo");
      const words = report.run === null ? t("undo.nothing") : t("undo.done", { n: number(report.restored.length) });
      announce(words);
      if (report.skipped.length) openSheet({ title: t("undo.title"), name: "undo", content: h("div", {}, h("p", {}, words), remarks(report.skipped, "undo.skipped")) });
      else if (report.run === null) openSheet({ title: t("undo.title"), name: "undo", content: h("p", {}, words) });
      onUndone(report.restored);
    } catch (problem) {
      openSheet({ title: t("undo.title"), name: "undo", content: problemBox(problem) });
    }
    button.disabled = false;
  };
  const button = h("button", { type: "button", class: "button undo", on: { click: undo } }, icon("undo"), toolWords(t("undo")));
  return button;
}
