/** One match large beside the query: the proof drawn, and the two compared in four ways. */

import { fileAddress, get, thumbnailAddress } from "./api.js";
import { announce, h, refill } from "./dom.js";
import { factsTable } from "./facts.js";
import { fromPixelCentres, polygonFromCentres } from "./geometry.js";
import { relationLabel, scoreWords } from "./grid.js";
import { icon } from "./icons.js";
import { listen } from "./keys.js";
import { showKeys } from "./keys_sheet.js";
import { Stage } from "./stage.js";
import { stageKeys, stageTools } from "./stage_tools.js";
import { fileName, number, said, t } from "./words.js";

const SHOWN_BY_BROWSERS = ["jpeg", "png", "webp", "gif", "avif", "bmp"];
const LARGEST_SHOWN_PX = 60e6;

/** Return the address of the original where a browser can show it, else null. */
function fullAddress(picture) {
  const isShown = SHOWN_BY_BROWSERS.includes(picture.format) && picture.width_px * picture.height_px < LARGEST_SHOWN_PX;
  return isShown && picture.exists !== false ? fileAddress(picture.id) : null;
}

/** Return a picture of the gallery for a `Stage`; `proof` tells how it lies on the first one. */
export function onStage(picture, name, proof = null) {
  return {
    source: thumbnailAddress(picture.id, 1024),
    full: fullAddress(picture),
    width: picture.width_px,
    height: picture.height_px,
    name,
    matrix: proof?.matrix ? fromPixelCentres(proof.matrix) : null,
    outline: polygonFromCentres(proof?.overlap_second),
    differs: (proof?.differs_second ?? []).map(polygonFromCentres),
  };
}

/**
 * The viewer, a dialog over the page.
 *
 * `actions` are `close`, `previous`, `next`, `like(match, liked)`, `searchWith(match)` and `opinionOf(match)`.
 */
export class Viewer {
  constructor(actions) {
    this.actions = actions;
    this.element = h("dialog", { class: "viewer", "aria-labelledby": "viewer-title" });
    this.element.addEventListener("cancel", (event) => {
      event.preventDefault();
      actions.close();
    });
    document.body.append(this.element);
    this.release = listen(t("viewer"), this.#keys(), { modal: true });
  }

  /** Show a match beside the query, `{ reference, width_px, height_px, facts }`. */
  async show(query, match) {
    this.match = match;
    this.asking?.abort();
    this.asking = new AbortController();
    this.#build(query, match);
    if (!this.element.open) this.element.showModal();
    try {
      const parameters = new URLSearchParams({ first: query.reference, second: `id:${match.id}` });
      const comparison = await get("/compare", parameters, { signal: this.asking.signal });
      this.#showComparison(match, comparison);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      refill(this.verdict, h("p", { class: "problem" }, icon("warning"), problem.message));
    }
  }

  /** Show the opinions as they are now. */
  showOpinions() {
    const opinion = this.actions.opinionOf(this.match);
    this.element.querySelector("[data-act=like]").setAttribute("aria-pressed", String(opinion === true));
    this.element.querySelector("[data-act=dislike]").setAttribute("aria-pressed", String(opinion === false));
  }

  /** Take the viewer away. */
  remove() {
    this.asking?.abort();
    this.stage?.release();
    this.release();
    this.element.close();
    this.element.remove();
  }

  #build(query, match) {
    const mode = this.stage?.mode ?? "side";
    const showsOutline = this.stage?.showsOutline ?? true;
    this.stage?.release();
    this.stage = new Stage({ pictures: [queryOnStage(query), onStage(match, t("viewer.match"), match.proof)], mode });
    this.stage.showsOutline = showsOutline;
    this.verdict = h("div", { class: "verdict", "aria-live": "polite" }, h("p", { class: "waiting-line" }, t("viewer.comparing")));
    const facts = [query.facts ?? query.sent, match];
    refill(
      this.element,
      this.#head(match),
      stageTools(this.stage),
      this.stage.element,
      h(
        "aside",
        { class: "viewer-facts", "aria-label": t("viewer.facts") },
        h("p", { class: "viewer-score" }, relationLabel(match.relation), match.score !== undefined && h("span", {}, `${scoreWords(match)} · ${number(match.score, 3)}`)),
        this.verdict,
        factsTable(facts, [t("viewer.query"), t("viewer.match")], { caption: t("viewer.facts") }),
        this.#acts(match),
      ),
    );
  }

  #head(match) {
    const button = (name, words, run) =>
      h("button", { type: "button", class: "button quiet", title: t(words), "aria-label": t(words), on: { click: run } }, icon(name));
    return h(
      "header",
      { class: "viewer-head" },
      h("h2", { id: "viewer-title", tabindex: "-1", autofocus: true }, match.path ? fileName(match.path) : t("viewer.match")),
      button("left", "viewer.previous", this.actions.previous),
      button("right", "viewer.next", this.actions.next),
      button("close", "close", this.actions.close),
    );
  }

  #acts(match) {
    const opinion = this.actions.opinionOf(match);
    const button = (act, words, run, pressed = null) =>
      h("button", { type: "button", class: "button", "data-act": act, "aria-pressed": pressed, on: { click: run } }, icon(act), t(words));
    return h(
      "div",
      { class: "viewer-acts" },
      button("like", "like", () => this.actions.like(match, true), String(opinion === true)),
      button("dislike", "dislike", () => this.actions.like(match, false), String(opinion === false)),
      button("search", "searchwith", () => this.actions.searchWith(match)),
      h("a", { class: "button", href: fileAddress(match.id), target: "_blank", rel: "noopener" }, icon("open"), t("viewer.file")),
    );
  }

  #showComparison(match, { relation, verdict, proof, measures }) {
    Object.assign(match, { proof: { ...match.proof, ...proof } });
    const differing = (outlines) => (outlines ?? []).map(polygonFromCentres);
    this.stage.place(0, { outline: polygonFromCentres(proof?.overlap_first), differs: differing(proof?.differs_first) });
    this.stage.place(1, {
      matrix: proof?.matrix ? fromPixelCentres(proof.matrix) : null,
      outline: polygonFromCentres(proof?.overlap_second),
      differs: differing(proof?.differs_second),
    });
    this.element.querySelector(".viewer-score .relation").replaceWith(relationLabel(relation));
    refill(
      this.verdict,
      h("p", { class: "verdict-words" }, said(verdict)),
      !proof?.matrix && h("p", { class: "verdict-proof" }, t("viewer.noplace")),
      measuresTable(measures),
    );
    announce(said(verdict));
  }

  #keys() {
    return [
      { key: "Escape", words: "close", run: () => this.actions.close() },
      { key: ["n", "j"], shown: ["n"], words: "viewer.next", run: () => this.actions.next() },
      { key: ["p", "k"], shown: ["p"], words: "viewer.previous", run: () => this.actions.previous() },
      ...stageKeys(() => this.stage),
      { key: "o", words: "stage.outline", run: () => this.element.querySelector(".stage-tools > .tab").click() },
      { key: "l", words: "like", run: () => this.actions.like(this.match, true) },
      { key: "u", words: "dislike", run: () => this.actions.like(this.match, false) },
      { key: "m", words: "searchwith", run: () => this.actions.searchWith(this.match) },
      { key: "?", run: showKeys },
    ];
  }
}

function queryOnStage(query) {
  return {
    source: thumbnailAddress(query.reference, 1024),
    full: query.facts ? fullAddress(query.facts) : null,
    width: query.width_px,
    height: query.height_px,
    name: t("viewer.query"),
    matrix: null,
    outline: [],
  };
}

function measuresTable(measures) {
  const rows = Object.entries(measures ?? {});
  if (!rows.length) return null;
  return h(
    "details",
    { class: "measures" },
    h("summary", {}, t("viewer.measures")),
    h("table", {}, h("tbody", {}, rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name.replaceAll("_", " ")), h("td", {}, number(value, 4)))))),
  );
}
