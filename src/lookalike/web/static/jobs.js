/** A long run on the server: started, followed by its events, stopped, and gone on with. */

import { follow, get, post } from "./api.js";
import { announce, h, recall, refill, remember } from "./dom.js";
import { icon } from "./icons.js";
import { problemBox } from "./problem_box.js";
import { remarks } from "./remarks.js";
import { duration, number, stageWords, t } from "./words.js";

/**
 * The panel of one kind of run, `index` or `duplicates`.
 *
 * `onEnd` is called once a run is done or was stopped; `onState` with whether one runs.
 */
export class JobPanel {
  constructor({ kind, onEnd, onState = () => {} }) {
    this.kind = kind;
    this.onEnd = onEnd;
    this.onState = onState;
    this.element = h("div", { class: "job-holder" });
    this.unfollow = () => {};
  }

  /** Find a run of this kind that goes on already. */
  async attach() {
    const jobs = await get("/jobs");
    const list = Array.isArray(jobs) ? jobs : (jobs.jobs ?? []);
    const running = list.find((job) => job.state === "running" && !["apply", "undo"].includes(job.kind));
    if (running?.kind === this.kind) this.#watch(running);
    else if (running) this.#showOther(running);
    else if (!recall(`job.${this.kind}`)) refill(this.element);
    else this.#showLast(list.findLast((job) => job.kind === this.kind) ?? null);
  }

  /** Start a run; `body` is what the server wants to know. */
  async start(body) {
    try {
      const job = await post("/jobs", { kind: this.kind, ...body });
      remember(`job.${this.kind}`, JSON.stringify(body));
      this.#watch(job);
    } catch (problem) {
      refill(this.element, problemBox(problem, () => this.start(body)));
      announce(problem.message);
    }
  }

  /** Stop listening; the run itself goes on. */
  release() {
    this.unfollow();
  }

  /** The run was begun here and left alone: it ended meanwhile, or was cut short. */
  #showLast(job) {
    if (job?.state === "done") remember(`job.${this.kind}`, null);
    else this.#showCut(job);
  }

  #watch(job) {
    this.unfollow();
    this.#build(job);
    this.#show(job);
    this.onState(true);
    announce(t(`job.${this.kind}`));
    this.unfollow = follow(job.id, { onProgress: (now) => this.#show(now), onEnd: (last) => this.#end(last) });
  }

  #build(job) {
    this.bar = h("progress", { "aria-label": t(`job.${this.kind}`) });
    this.words = h("p", { class: "job-stage" });
    this.counts = h("p", { class: "job-counts" });
    const stop = h("button", { type: "button", class: "button", on: { click: () => this.#stop(job, stop) } }, icon("stop"), t("job.stop"));
    refill(
      this.element,
      h("section", { class: "job", "aria-label": t(`job.${this.kind}`) }, h("div", { class: "job-head" }, h("h2", {}, t(`job.${this.kind}`)), stop), this.bar, h("div", { class: "job-line" }, this.words, this.counts)),
    );
  }

  #show(job) {
    const isKnown = job.n_total > 0;
    if (isKnown) {
      this.bar.max = job.n_total;
      this.bar.value = job.n_done;
    } else this.bar.removeAttribute("value");
    this.words.textContent = stageWords(job.stage);
    const parts = [isKnown ? t("job.of", { done: number(job.n_done), total: number(job.n_total) }) : number(job.n_done ?? 0)];
    if (job.rate_per_s > 0) parts.push(t("job.rate", { rate: number(job.rate_per_s, job.rate_per_s < 10 ? 1 : 0) }));
    if (job.seconds_left !== null && job.seconds_left !== undefined) parts.push(t("job.left", { time: duration(job.seconds_left) }));
    this.counts.textContent = parts.join(" · ");
  }

  async #stop(job, button) {
    button.disabled = true;
    try {
      await post(`/jobs/${encodeURIComponent(job.id)}/stop`, null, { isRepeatable: true });
    } catch (problem) {
      button.disabled = false;
      announce(problem.message);
    }
  }

  #end(job) {
    this.onState(false);
    if (job?.state === "done") {
      remember(`job.${this.kind}`, null);
      refill(this.element, this.kind === "index" ? indexReport(job) : null);
      announce(t("job.done"));
    } else this.#showCut(job);
    this.onEnd(job);
  }

  /** Say that the last run did not come to its end, and offer to go on. */
  #showCut(job) {
    const body = JSON.parse(recall(`job.${this.kind}`) ?? "null");
    const words = job?.state === "failed" ? (job.error ?? t("problem.unknown")) : t(job?.state === "stopped" ? "job.stopped" : "job.cut");
    const goOn = h("button", { type: "button", class: "button strong", on: { click: () => this.start(body) } }, icon("start"), t("job.goon"));
    const forget = () => {
      remember(`job.${this.kind}`, null);
      refill(this.element);
    };
    const dismiss = h("button", { type: "button", class: "button quiet", "aria-label": t("close"), title: t("close"), on: { click: forget } }, icon("close"));
    refill(this.element, h("section", { class: "job", "aria-label": t(`job.${this.kind}`) }, h("div", { class: "job-head" }, h("p", {}, words), body && goOn, dismiss)));
    announce(words);
  }

  /** Say that another kind of run is at work, for as long as it is. */
  #showOther(job) {
    refill(this.element, h("p", { class: "soft" }, t("job.other", { kind: t(`job.${job.kind}`) })));
    this.unfollow = follow(job.id, { onProgress: () => {}, onEnd: () => this.attach() });
  }
}

function indexReport(job) {
  const report = job.report ?? {};
  const counts = ["added", "changed", "moved", "unchanged"].filter((name) => report[name] > 0).map((name) => t(`job.report.${name}`, { n: report[name] }));
  const n_failed = Array.isArray(report.failed) ? report.failed.length : (report.failed ?? report.n_failed ?? 0);
  if (n_failed > 0) counts.push(t("job.report.failed", { n: n_failed }));
  const words = counts.length ? counts.join(" · ") : t("job.report.nothing");
  return h("section", { class: "job job-done", role: "status", "data-failed": n_failed || null }, h("p", {}, icon(n_failed ? "warning" : "check"), words), remarks(Array.isArray(report.failed) ? report.failed : [], "job.why"));
}
