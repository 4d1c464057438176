/** What was applied, run by run, and undoing any of it. */

import { act, actingNow, watch } from "./acts.js";
import { get } from "./api.js";
import { announce, h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { problemBox } from "./problem_box.js";
import { remarks } from "./remarks.js";
import { openSheet } from "./sheet.js";
import { bytes, day, number, showPath, t } from "./words.js";

const PAGE = 20;

/** Show all runs in a sheet; `onChange` is called once it is closed, if files came back. */
export function openHistory(onChange) {
  new History(onChange).open();
}

class History {
  constructor(onChange) {
    this.onChange = onChange;
    this.hasChanged = false;
  }

  open() {
    this.now = h("div", { class: "act-holder" });
    this.list = h("ol", { class: "history-runs" });
    this.more = h("div", { class: "row" });
    this.sheet = openSheet({ title: t("history.title"), name: "history", content: [this.now, this.list, this.more], onClose: () => this.hasChanged && this.onChange() });
    this.#load().then(() => this.#attach());
  }

  async #load() {
    try {
      const { runs, total } = await get("/runs", new URLSearchParams({ limit: PAGE }));
      refill(this.list, total === 0 && h("li", { class: "soft" }, t("history.none")), runs.map((run) => this.#row(run)));
      this.#offerMore(runs.length, total);
    } catch (problem) {
      refill(this.list, h("li", {}, problemBox(problem, () => this.#load())));
    }
  }

  #offerMore(n_shown, total) {
    const load = async () => {
      const { runs } = await get("/runs", new URLSearchParams({ offset: n_shown, limit: PAGE }));
      this.list.append(...runs.map((run) => this.#row(run)));
      this.#offerMore(n_shown + PAGE, total);
    };
    refill(this.more, n_shown < total && h("button", { type: "button", class: "button", on: { click: load } }, t("history.more", { n: total - n_shown })));
  }

  #row(run) {
    const acts = Object.entries(run.acts).map(([name, n]) => t(`history.${name}`, { n }));
    const examples = run.examples.map((path) => h("span", { class: "path" }, showPath(path)));
    const undo = h("button", { type: "button", class: "button", on: { click: () => this.#undo(run) } }, icon("undo"), t("history.undo", { n: run.n_undoable }));
    return h(
      "li",
      { class: "history-run", "data-run": run.run },
      h(
        "div",
        { class: "history-words" },
        h("p", {}, h("strong", {}, acts.join(" · ") || t("history.nothing")), ` · ${bytes(run.size_bytes)}`),
        h("p", { class: "soft" }, t("history.when", { run: number(run.run), when: day(run.started_at, { withTime: true }) }), run.quarantine && [" · ", h("span", { class: "path" }, showPath(run.quarantine))]),
        h("p", { class: "soft history-examples" }, examples, run.n_files > examples.length && t("plan.morerows", { n: run.n_files - examples.length })),
      ),
      run.n_undoable > 0 ? undo : h("span", { class: "soft" }, t(run.n_undone ? "history.undone" : "history.nothing")),
    );
  }

  /** Show what goes on already: begun in another tab, or before the page was loaded anew. */
  async #attach() {
    const job = await actingNow();
    if (job) this.#show(await watch(job, this.now));
  }

  async #undo(run) {
    for (const button of this.list.querySelectorAll("button")) button.disabled = true;
    try {
      this.#show(await act({ kind: "undo", run: run.run }, this.now));
    } catch (problem) {
      refill(this.now, problemBox(problem));
      this.#load();
    }
  }

  #show(job) {
    const report = job.report ?? {};
    const restored = report.restored ?? [];
    const words = job.error ?? (job.kind === "apply" ? t("job.done") : t(job.state === "stopped" ? "undo.stopped" : "undo.done", { n: number(restored.length) }));
    this.hasChanged = true;
    refill(this.now, h("p", { class: "plan-words", role: "status" }, icon(job.error ? "warning" : "check"), words), remarks(report.skipped, "undo.skipped"), remarks(report.remarks, "plan.remarks"));
    announce(words);
    this.#load();
  }
}
