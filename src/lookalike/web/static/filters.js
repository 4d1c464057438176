/** The conditions of a search: a form beside the results, and the ones in force as chips above them. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { conditionsOf, PRECISIONS, RELATIONS, without } from "./question.js";
import { bytes, day, number, percent, showPath, t } from "./words.js";

const MEGA = 1_000_000;

/**
 * Return the form of the conditions.
 *
 * `known` is what the gallery has to choose from: `ways`, those of them that are calibrated
 * (`calibratedWays`), `formats` (names) and `folders` (paths); `onChange` gets the changed question.
 */
export function filterForm(question, known, onChange) {
  const set = (name) => (event) => onChange({ ...question, [name]: event.target.value.trim() });
  return h(
    "form",
    { class: "filters", on: { submit: (event) => event.preventDefault() } },
    field("by", h("select", { on: { change: set("by") } }, known.ways.map((way) => option(way, wayWords(way), question.by)))),
    field("relation", h("select", { on: { change: set("relation") } }, option("", t("filter.any"), question.relation), RELATIONS.map((name) => option(name, t("filter.orcloser", { relation: t(`relation.${name}`) }), question.relation)))),
    h("label", { class: "check" }, h("input", { type: "checkbox", checked: question.verify, on: { change: (event) => onChange({ ...question, verify: event.target.checked }) } }), t("filter.verify")),
    known.calibratedWays.includes(question.by) && field("precision", h("select", { on: { change: set("precision") } }, option("", t("filter.any"), question.precision), PRECISIONS.map((share) => option(share, t("filter.sure", { share: percent(Number(share), 1) }), question.precision)))),
    folderField(question, known, set("folder")),
    formatsField(question, known, onChange),
    h("div", { class: "field-pair" }, field("since", dateInput(question.since, set("since"))), field("until", dateInput(question.until, set("until")))),
    h("div", { class: "field-pair" }, field("min_bytes", sizeInput("min_bytes", question, onChange)), field("max_bytes", sizeInput("max_bytes", question, onChange))),
    h(
      "div",
      { class: "field-pair" },
      field("min_side", h("input", { type: "number", min: 0, step: 1, inputmode: "numeric", value: question.min_side, on: { change: set("min_side") } })),
      field("min_score", h("input", { type: "number", min: -1, max: 1, step: 0.05, inputmode: "decimal", value: question.min_score, on: { change: set("min_score") } })),
    ),
    h("button", { type: "button", class: "button", disabled: conditionsOf(question).length === 0, on: { click: () => onChange(without(question, ...conditionsOf(question))) } }, t("filter.reset")),
  );
}

/** Return the conditions in force as chips that take them away. */
export function conditionChips(question, onChange) {
  const chips = conditionsOf(question).map((name) => {
    const words = `${t(`filter.${name}`)}: ${valueWords(name, question[name])}`;
    return h(
      "button",
      { type: "button", class: "button chip", "aria-label": t("filter.remove", { words }), on: { click: () => onChange(without(question, name)) } },
      words,
      icon("close"),
    );
  });
  return chips.length ? h("div", { class: "chips" }, chips) : null;
}

function valueWords(name, value) {
  if (name === "relation") return t(`relation.${value}`);
  if (name === "precision") return percent(Number(value), 1);
  if (name === "formats") return value.join(", ").toUpperCase();
  if (name === "min_bytes" || name === "max_bytes") return bytes(Number(value));
  if (name === "since" || name === "until") return value.length === 10 ? day(value) : value;
  if (name === "min_side") return `${number(Number(value))} px`;
  return showPath(value);
}

function field(name, control) {
  return h("label", { class: "field" }, h("span", {}, t(`filter.${name}`)), control);
}

function option(value, words, chosen) {
  return h("option", { value, selected: value === chosen }, words);
}

function wayWords(way) {
  return way === "auto" ? t("filter.auto") : way;
}

function dateInput(value, onChange) {
  return h("input", { type: "date", value, on: { change: onChange } });
}

/** A size is typed in megabytes and asked in bytes. */
function sizeInput(name, question, onChange) {
  const change = (event) => {
    const megabytes = Number(event.target.value);
    onChange({ ...question, [name]: event.target.value === "" || !(megabytes >= 0) ? "" : String(Math.round(megabytes * MEGA)) });
  };
  return h("input", { type: "number", min: 0, step: "any", inputmode: "decimal", value: question[name] === "" ? "" : question[name] / MEGA, on: { change } });
}

function folderField(question, known, onChange) {
  return h(
    "div",
    { class: "field" },
    h("label", { for: "folder" }, t("filter.folder")),
    h("input", { id: "folder", list: "folders", value: question.folder, placeholder: t("filter.anyfolder"), on: { change: onChange } }),
    h("datalist", { id: "folders" }, known.folders.map((path) => h("option", { value: path }))),
  );
}

function formatsField(question, known, onChange) {
  if (known.formats.length < 2) return null;
  const toggle = (format) => (event) => {
    const others = question.formats.filter((one) => one !== format);
    onChange({ ...question, formats: event.target.checked ? [...others, format].sort() : others });
  };
  return h(
    "fieldset",
    { class: "field" },
    h("legend", {}, t("filter.formats")),
    h(
      "div",
      { class: "checks" },
      known.formats.map((format) =>
        h("label", { class: "check" }, h("input", { type: "checkbox", checked: question.formats.includes(format), on: { change: toggle(format) } }), format.toUpperCase()),
      ),
    ),
  );
}
