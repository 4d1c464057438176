/** What is said above the results of a search, and in their place where there are none. */

import { h } from "./dom.js";
import { conditionChips } from "./filters.js";
import { relationLabel } from "./grid.js";
import { icon } from "./icons.js";
import { conditionsOf } from "./question.js";
import { percent, t } from "./words.js";

const COUNTED = ["same_file", "same_pixels", "copy", "variant", "same_scene"];

/**
 * Return the title, how many of each relation there are, what is promised, and the conditions.
 *
 * `onRelation` takes the relation that was chosen, `onChange` the question without a condition.
 */
export function summaryOf(question, { matches, promise, isProving, onRelation, onChange }) {
  const counts = COUNTED.map((relation) => [relation, matches.filter((match) => match.relation === relation).length]).filter(([, n]) => n > 0);
  return [
    h("h1", { id: "results-title" }, t(question.box ? "search.titlepart" : "search.title")),
    h(
      "p",
      { class: "counts" },
      counts.map(([relation, n]) =>
        h("button", { type: "button", class: "button plain", title: t("search.only", { relation: t(`relation.${relation}`) }), on: { click: () => onRelation(relation) } }, h("strong", {}, String(n)), relationLabel(relation)),
      ),
      isProving && h("span", { class: "waiting-line" }, t("search.proving")),
    ),
    promise && h("p", { class: "soft" }, t("search.promise", { precision: percent(promise.precision_at_least, 1), recall: percent(promise.recall) })),
    conditionChips(question, onChange),
  ];
}

/** Return what stands in the place of the results where nothing was found. */
export function nothingFound(question) {
  const isNarrow = conditionsOf(question).length > 0 || question.box;
  return h("div", { class: "empty" }, icon("search"), h("h2", {}, t("search.nothing")), h("p", {}, t(isNarrow ? "search.nothingnarrow" : "search.nothingwhy")));
}
