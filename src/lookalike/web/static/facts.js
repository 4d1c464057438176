/** The facts of pictures side by side, the better one of each row marked. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { bytes, day, number, showPath, t } from "./words.js";

// Formats that a camera or scanner writes first, before those that are made from them.
const ORIGINALS = ["raw", "heif", "tiff", "psd"];

const ROWS = [
  {
    words: "fact.pixels",
    show: (p) => `${number(p.width_px)} × ${number(p.height_px)}`,
    worth: (p) => p.width_px * p.height_px,
  },
  { words: "fact.size", show: (p) => bytes(p.size_bytes), worth: () => 0 },
  {
    words: "fact.density",
    show: (p) => t("fact.perpixel", { value: number(densityOf(p), 2) }),
    worth: (p) => Number(densityOf(p).toFixed(2)),
  },
  { words: "fact.format", show: (p) => String(p.format || "–").toUpperCase(), worth: (p) => Number(ORIGINALS.includes(p.format)) },
  { words: "fact.date", show: (p) => (p.date ? day(p.date, { withTime: true }) : "–"), worth: (p) => -new Date(p.date ?? NaN).getTime() || -Infinity },
  { words: "fact.camera", show: (p) => p.camera || "–", worth: (p) => Number(Boolean(p.camera)), isOptional: true },
  { words: "fact.path", show: (p) => showPath(p.path ?? "–"), worth: () => 0, isPath: true },
];

function densityOf(picture) {
  return picture.bytes_per_pixel ?? (picture.size_bytes ?? 0) / Math.max(1, picture.width_px * picture.height_px);
}

/** Return a table with a column a picture; `heads` are what stands above each. */
export function factsTable(pictures, heads, { caption }) {
  const rows = ROWS.filter((row) => !row.isOptional || pictures.some((picture) => row.worth(picture) > 0));
  return h(
    "div",
    { class: "facts-frame", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      { class: "facts" },
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, h("td"), heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows.map((row) => rowOf(row, pictures))),
    ),
  );
}

function rowOf(row, pictures) {
  const isKnown = (picture) => picture.size_bytes !== undefined || row.words === "fact.pixels";
  const worths = pictures.map((picture) => (isKnown(picture) ? row.worth(picture) : -Infinity));
  const best = Math.max(...worths);
  const isTold = worths.some((worth) => worth !== best && worth !== -Infinity);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, t(row.words)),
    pictures.map((picture, place) =>
      h(
        "td",
        { class: [row.isPath && "path", isTold && worths[place] === best && "better"] },
        isKnown(picture) || row.isPath ? row.show(picture) : "–",
        isTold && worths[place] === best && [icon("check"), h("span", { class: "unseen" }, t("fact.better"))],
      ),
    ),
  );
}
