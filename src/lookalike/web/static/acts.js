/** Acting on files, applying or undoing, as a job of the server: shown while it goes on, and stopped between two files. */

import { follow, get, post } from "./api.js";
import { announce, h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { number, stageWords, t } from "./words.js";

/** Start to apply or undo, and show it in an element until it ends; returns the ended job, or throws a `Problem`. */
export async function act(body, holder) {
  return watch(await post("/jobs", body), holder);
}

/** Return the job that acts on files just now, if one does. */
export async function actingNow() {
  const { jobs } = await get("/jobs");
  return jobs.find((job) => job.state === "running" && ["apply", "undo"].includes(job.kind)) ?? null;
}

/** Show a job in an element until it ends; returns the ended job. */
export async function watch(job, holder) {
  const bar = h("progress", { "aria-label": t(`job.${job.kind}`) });
  const words = h("p", { class: "act-words" });
  const stop = h("button", { type: "button", class: "button", on: { click: () => ask(job, stop) } }, icon("stop"), t("act.stop"));
  refill(holder, h("div", { class: "act-run", role: "group", "aria-label": t(`job.${job.kind}`) }, words, bar, h("div", { class: "row" }, stop)));
  const show = (now) => {
    const isKnown = now.n_total > 0;
    if (isKnown) Object.assign(bar, { max: now.n_total, value: now.n_done });
    words.textContent = `${stageWords(now.stage)} · ${isKnown ? t("job.of", { done: number(now.n_done), total: number(now.n_total) }) : number(now.n_done ?? 0)}`;
  };
  show(job);
  announce(t(`job.${job.kind}`));
  return new Promise((resolve) => {
    follow(job.id, { onProgress: show, onEnd: (last) => resolve(last ?? { ...job, state: "failed", error: t("job.cut") }) });
  });
}

async function ask(job, button) {
  button.disabled = true;
  try {
    await post(`/jobs/${encodeURIComponent(job.id)}/stop`, null, { isRepeatable: true });
  } catch (problem) {
    button.disabled = false;
    announce(problem.message);
  }
}
