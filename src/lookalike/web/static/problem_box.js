/** What went wrong, said where it happened, with a way to try again. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

/** Return a box that says what went wrong and, with `retry`, offers to try again. */
export function problemBox(problem, retry = null) {
  return h(
    "div",
    { class: "problem-box", role: "alert" },
    icon("warning"),
    h("p", {}, ["away", "unsent"].includes(problem.title) ? t(`problem.${problem.title}`) : problem.message || t("problem.unknown")),
    retry && h("button", { type: "button", class: "button", on: { click: retry } }, icon("again"), t("again")),
  );
}
