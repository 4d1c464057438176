/** The plan: shown before anything happens, then applied file by file. */

import { act } from "./acts.js";
import { post, thumbnailAddress } from "./api.js";
import { announce, h, refill } from "./dom.js";
import { openHistory } from "./history.js";
import { icon } from "./icons.js";
import { problemBox } from "./problem_box.js";
import { remarks } from "./remarks.js";
import { openSheet } from "./sheet.js";
import { bytes, showPath, t } from "./words.js";

const ACTS = ["trash", "quarantine", "hardlink", "symlink"];
const SHOWN_ROWS = 200;

/** A sheet with the plan for the groups that were accepted; `onChange` is called once files went. */
export class PlanSheet {
  constructor(reportId, onChange) {
    Object.assign(this, { reportId, onChange });
    this.act = "trash";
    this.quarantine = "";
  }

  /** Make the plan and show it. */
  open() {
    this.body = h("div", { class: "plan-body" });
    this.sheet = openSheet({ title: t("plan.title"), name: "plan", content: [this.#choice(), this.body], onClose: () => this.#leave() });
    this.#make();
  }

  /** The sheet is closed; what is applied goes on, and is found again in the history. */
  #leave() {
    this.asking?.abort();
    if (this.hasActed) this.onChange();
  }

  #choice() {
    const folder = h("label", { class: "field", hidden: true }, h("span", {}, t("plan.quarantine")), h("input", { name: "quarantine", spellcheck: "false", placeholder: "/…", on: { change: (event) => this.#choose(this.act, event.target.value.trim()) } }));
    const select = h("select", { name: "act", on: { change: () => ((folder.hidden = select.value !== "quarantine"), this.#choose(select.value, this.quarantine)) } }, ACTS.map((act) => h("option", { value: act }, t(`act.${act}`))));
    this.choice = h("div", { class: "plan-choice" }, h("label", { class: "field" }, h("span", {}, t("plan.act")), select), folder);
    return this.choice;
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
      };
      const plan = await post("/plans", wish, { signal: this.asking.signal, isRepeatable: true });
      this.#show(plan);
    } catch (problem) {
      if (problem.name !== "AbortError") refill(this.body, problemBox(problem, () => this.#make()));
    }
  }

  #show(plan) {
    const apply = h("button", { type: "button", class: "button strong", disabled: plan.n_files === 0, on: { click: () => this.#apply(plan) } }, icon("check"), t(`plan.apply.${this.act}`, { n: plan.n_files }));
    refill(
      this.body,
      h("p", { class: "plan-words" }, t("plan.words", { n: plan.n_files, size: bytes(plan.saved_bytes) }), " ", h("span", { class: "soft" }, t("plan.undoable"))),
      remarks(plan.left_out, "plan.leftout"),
      h(
        "div",
        { class: "plan-rows", tabindex: "0", role: "region", "aria-label": t("plan.list") },
        h("ul", {}, plan.removals.slice(0, SHOWN_ROWS).map(rowOf)),
        plan.removals.length > SHOWN_ROWS && h("p", { class: "soft" }, t("plan.morerows", { n: plan.removals.length - SHOWN_ROWS })),
      ),
      h("div", { class: "row plan-acts" }, apply, h("button", { type: "button", class: "button", on: { click: () => this.sheet.close() } }, t("cancel"))),
    );
    announce(t("plan.words", { n: plan.n_files, size: bytes(plan.saved_bytes) }));
    apply.focus();
  }

  async #apply(plan) {
    this.choice.remove();
    this.hasActed = true;
    this.sheet.querySelector("h2").textContent = t("job.apply");
    try {
      const job = await act({ kind: "apply", plan: plan.id }, this.body);
      if (job.report) this.#showDone(job.report, job.state === "stopped");
      else refill(this.body, problemBox(new Error(job.error)));
    } catch (problem) {
      refill(this.body, problemBox(problem));
    }
  }

  #showDone(report, isStopped) {
    const words = t(isStopped ? "plan.stopped" : "plan.done", { n: report.done.length, size: bytes(report.bytes_saved ?? 0) });
    refill(
      this.body,
      h("p", { class: "plan-words plan-done", role: "status" }, icon("check"), words),
      remarks(report.skipped, "plan.skipped"),
      remarks(report.remarks, "plan.remarks"),
      h("div", { class: "row plan-acts" }, h("button", { type: "button", class: "button", on: { click: () => this.#openHistory() } }, icon("undo"), t("undo")), h("button", { type: "button", class: "button strong", on: { click: () => this.sheet.close() } }, t("close"))),
    );
    announce(words);
    this.body.querySelector(".plan-acts .strong").focus();
  }

  #openHistory() {
    this.sheet.close();
    openHistory(this.onChange);
  }
}

function rowOf(removal) {
  return h(
    "li",
    { class: "plan-row" },
    removal.id && h("img", { src: thumbnailAddress(removal.id, 128), alt: "", loading: "lazy" }),
    h("p", {}, h("span", { class: "path" }, showPath(removal.path)), h("span", { class: "soft" }, `${bytes(removal.size_bytes)} · ${t(`relation.${removal.relation}`)} · ${t("plan.keeps")} `, h("span", { class: "path" }, showPath(removal.keeper)))),
  );
}
