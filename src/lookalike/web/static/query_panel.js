/** The query beside its results: the picture with its box, opinions, and how to search. */

import { thumbnailAddress } from "./api.js";
import { h, refill } from "./dom.js";
import { filterForm } from "./filters.js";
import { factsOf } from "./grid.js";
import { icon } from "./icons.js";
import { PartPicker } from "./part.js";
import { fileName, number, t } from "./words.js";

/** The panel; `onChange` gets a changed question, `onForget(id, liked)` an opinion that is taken back. */
export class QueryPanel {
  constructor({ question, known, name, onChange, onForget }) {
    Object.assign(this, { question, known, onChange, onForget });
    this.reference = question.query;
    this.picker = new PartPicker({
      source: thumbnailAddress(question.query, 512),
      alt: t("search.query"),
      box: question.box,
      onChange: (box) => this.onChange({ ...this.question, box }),
    });
    this.name = h("p", { class: "query-name" }, name);
    this.facts = h("p", { class: "soft query-facts" });
    this.tools = h("div", { class: "row query-tools" });
    this.opinions = h("div", { class: "opinion-rows" });
    this.filters = h("div", {});
    const isOpen = matchMedia("(min-width: 900px)").matches;
    this.element = h(
      "aside",
      { class: "query-panel", "aria-label": t("search.query") },
      h("div", { class: "query-picture" }, this.picker.element),
      this.name,
      this.facts,
      this.tools,
      this.opinions,
      h("details", { class: "conditions", open: isOpen }, h("summary", {}, icon("filter"), t("filter.title")), this.filters),
    );
    this.show(question);
  }

  /** Show another question about the same query. */
  show(question) {
    this.question = question;
    this.picker.setBox(question.box);
    const tool = (name, words, run) => h("button", { type: "button", class: "button", on: { click: run } }, icon(name), t(words));
    refill(
      this.tools,
      question.box ? tool("close", "part.clear", () => this.picker.clear()) : tool("part", "part.start", () => this.picker.start()),
      h("a", { class: "button", href: "/", "data-inside": true }, icon("upload"), t("search.other")),
    );
    refill(this.opinions, this.#opinionRow("liked", "like"), this.#opinionRow("disliked", "dislike"));
    this.#showFilters();
  }

  /** Take what became known of the gallery. */
  know(known) {
    this.known = known;
    this.#showFilters();
  }

  /** Take what became known of the query. */
  describe(query) {
    if (query.facts) this.name.textContent = fileName(query.facts.path);
    this.facts.textContent = query.facts ? factsOf(query.facts) : `${number(query.width_px)} × ${number(query.height_px)}`;
  }

  #showFilters() {
    const focused = this.filters.contains(document.activeElement) ? nameOfControl(document.activeElement) : null;
    refill(this.filters, filterForm(this.question, this.known, (changed) => this.onChange(changed)));
    if (focused === null) return;
    const controls = [...this.filters.querySelectorAll("input, select, button")];
    controls.find((control) => nameOfControl(control) === focused)?.focus();
  }

  #opinionRow(name, act) {
    const ids = this.question[name];
    if (!ids.length) return null;
    const words = t("search.forget");
    return h(
      "div",
      { class: "opinions" },
      h("span", { class: "opinions-title" }, icon(act), t(`search.${name}`)),
      ids.map((id) =>
        h("button", { type: "button", class: "opinion", "aria-label": words, title: words, on: { click: () => this.onForget(id, name === "liked") } }, h("img", { src: thumbnailAddress(id, 128), alt: "" })),
      ),
    );
  }
}

/** Tell a control of the form from the others, also after the form was made anew. */
function nameOfControl(control) {
  return `${control.tagName} ${control.closest("label, .field")?.textContent ?? control.textContent}`;
}
