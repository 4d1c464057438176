/** Files with a reason each, folded away where there are many. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { said, showPath, t } from "./words.js";

const MAX_OPEN = 5;
const MAX_SHOWN = 500;

/** Return the rows, each with `path` and `reason`, under a heading; nothing where there are none. */
export function remarks(rows, words) {
  if (!rows?.length) return null;
  return h(
    "details",
    { class: "remarks", open: rows.length <= MAX_OPEN },
    h("summary", {}, icon("warning"), t(words, { n: rows.length })),
    h("ul", {}, rows.slice(0, MAX_SHOWN).map((row) => h("li", {}, h("span", { class: "path" }, showPath(row.path)), ` – ${said(row.reason)}`))),
  );
}
