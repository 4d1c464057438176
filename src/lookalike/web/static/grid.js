/** The justified grid of pictures: rows of equal height that fill the width, whatever the shapes. */

import { thumbnailAddress } from "./api.js";
import { h, refill } from "./dom.js";
import { icon, ladder } from "./icons.js";
import { bytes, day, fileName, number, percent, said, showPath, t } from "./words.js";

// Very long and very tall pictures are shown whole within these shapes.
const NARROWEST = 0.55;
const WIDEST = 2.8;
// Below, it says more how alike a picture looks than how unlikely it is a copy; what is proven needs neither.
const LEAST_LIKELY = 0.1;

/** Return the width over the height that a picture gets in the grid. */
function shapeOf(picture) {
  const shape = picture.width_px / Math.max(1, picture.height_px) || 1;
  return Math.min(WIDEST, Math.max(NARROWEST, shape));
}

/** Return what tells one match from the others: a content may lie at several paths. */
function keyOf(match) {
  return `${match.id}:${match.path}`;
}

/** Return a relation as a label: its rungs on the ladder and its name. */
export function relationLabel(relation) {
  return h("span", { class: `relation relation-${relation}` }, ladder(relation), t(`relation.${relation}`));
}

/** Say a score in words; the steps are those of how alike two pictures look by it. */
export function scoreWords(match) {
  if (match.relation === "same_file" || match.relation === "same_pixels") return t("score.equal");
  if (match.score >= 0.97) return t("score.same");
  if (match.score >= 0.85) return t("score.very");
  if (match.score >= 0.7) return t("score.alike");
  if (match.score >= 0.5) return t("score.somewhat");
  return t("score.hardly");
}

/**
 * A grid of matches.
 *
 * `actions` are called with a match: `open`, `like(match, liked)`, `searchWith`; `hrefOf` gives the address
 * that opens a match; `opinionOf` whether it is liked (true), disliked (false) or neither (null).
 */
export class Grid {
  constructor({ label, actions, hrefOf, opinionOf = () => null }) {
    this.actions = actions;
    this.hrefOf = hrefOf;
    this.opinionOf = opinionOf;
    this.matches = [];
    this.cards = new Map();
    this.element = h("ul", { class: "grid", "aria-label": label });
    this.element.addEventListener("keydown", (event) => this.#moveFocus(event));
  }

  /** Show matches after those that are there; one that is there already is left out. */
  append(matches) {
    for (const match of matches) {
      if (this.cards.has(keyOf(match))) continue;
      const card = this.#card(match);
      this.cards.set(keyOf(match), card);
      this.matches.push(match);
      this.element.append(card);
    }
  }

  /** Show what became known of matches since, in their places; what only its proof makes an answer comes first. */
  patch(matches) {
    for (const match of matches.filter((one) => !this.cards.has(keyOf(one))).reverse()) {
      const card = this.#card(match);
      this.cards.set(keyOf(match), card);
      this.matches.unshift(match);
      this.element.prepend(card);
    }
    for (const match of matches) {
      const place = this.matches.findIndex((one) => keyOf(one) === keyOf(match));
      const { proof, relation, why, probability } = match;
      Object.assign(this.matches[place], { proof, relation, why, probability });
      refill(this.cards.get(keyOf(match)).querySelector(".card-words"), wordsOf(this.matches[place]));
    }
  }

  /** Put the focus on a match. */
  focus(match) {
    this.cards.get(keyOf(match))?.querySelector("a")?.focus();
  }

  /** Return the match that has the focus, or null. */
  get focused() {
    const card = document.activeElement?.closest?.(".card");
    return this.matches.find((match) => this.cards.get(keyOf(match)) === card) ?? null;
  }

  #card(match) {
    const shape = shapeOf(match);
    const image = h("img", {
      src: thumbnailAddress(match.id, 512),
      alt: fileName(match.path),
      loading: this.matches.length < 12 ? "eager" : "lazy",
      decoding: "async",
      on: {
        load: () => {
          image.classList.add("is-there");
          image.closest(".card-picture").classList.remove("is-missing");
        },
        error: () => image.closest(".card-picture").classList.add("is-missing"),
      },
    });
    const link = h(
      "a",
      {
        class: "card-picture",
        href: this.hrefOf(match),
        on: { click: (event) => isPlain(event) && (event.preventDefault(), this.actions.open(match)) },
      },
      image,
    );
    const opinion = this.opinionOf(match);
    return h(
      "li",
      { class: ["card", opinion === false && "card-disliked"], style: { "--shape": shape } },
      link,
      this.actions.searchWith && h("div", { class: "card-actions" }, this.#buttons(match, opinion)),
      h("div", { class: "card-words" }, wordsOf(match)),
    );
  }

  #buttons(match, opinion) {
    const name = fileName(match.path);
    const button = (act, words, run, pressed = null) =>
      h(
        "button",
        { type: "button", class: "button chip", "data-act": act, title: t(words), "aria-label": t(`${words}.of`, { name }), "aria-pressed": pressed, on: { click: run } },
        icon(act),
      );
    return [
      button("like", "like", () => this.actions.like(match, true), String(opinion === true)),
      button("dislike", "dislike", () => this.actions.like(match, false), String(opinion === false)),
      button("search", "searchwith", () => this.actions.searchWith(match)),
    ];
  }

  #moveFocus(event) {
    const links = [...this.element.querySelectorAll(".card-picture")];
    const here = links.indexOf(document.activeElement);
    if (here < 0) return;
    const target = placeAfter(event.key, links, here);
    if (target === null) return;
    event.preventDefault();
    links[target].focus();
    links[target].scrollIntoView({ block: "nearest" });
  }
}

function isPlain(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

/** Return the place that an arrow leads to: the next one, or the nearest in the row above or below. */
function placeAfter(key, links, here) {
  const last = links.length - 1;
  if (key === "ArrowRight") return Math.min(last, here + 1);
  if (key === "ArrowLeft") return Math.max(0, here - 1);
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (key !== "ArrowDown" && key !== "ArrowUp") return null;
  const boxes = links.map((link) => link.getBoundingClientRect());
  const from = boxes[here];
  const middle = from.left + from.width / 2;
  const isBeyond = (box) => (key === "ArrowDown" ? box.top > from.top + 4 : box.top < from.top - 4);
  let best = null;
  boxes.forEach((box, place) => {
    if (!isBeyond(box)) return;
    const away = [Math.abs(box.top - from.top), Math.abs(box.left + box.width / 2 - middle)];
    if (best === null || away[0] < best.away[0] - 4 || (Math.abs(away[0] - best.away[0]) <= 4 && away[1] < best.away[1])) {
      best = { place, away };
    }
  });
  return best?.place ?? here;
}

function wordsOf(match) {
  if (match.score === undefined) {
    return [h("p", { class: "card-name", title: showPath(match.path) }, fileName(match.path)), h("p", { class: "card-facts" }, factsOf(match))];
  }
  const why = said(match.why);
  return [
    h(
      "p",
      { class: "card-relation" },
      relationLabel(match.relation),
      h("span", { class: "card-score", title: t("score.title", { unit: match.unit }) }, degreeOf(match), " ", h("strong", {}, number(match.score, 3))),
    ),
    h("p", { class: "card-name", title: showPath(match.path) }, fileName(match.path)),
    h("p", { class: "card-why", title: why }, why),
    h("p", { class: "unseen" }, factsOf(match)),
  ];
}

function degreeOf(match) {
  const isOpen = match.relation === "similar" || match.relation === "different";
  const isLikely = match.probability >= LEAST_LIKELY && isOpen;
  return isLikely ? t("probability", { share: percent(match.probability) }) : scoreWords(match);
}

/** Return a picture's facts in one line. */
export function factsOf(picture) {
  const parts = [`${number(picture.width_px)} × ${number(picture.height_px)}`, bytes(picture.size_bytes), String(picture.format).toUpperCase()];
  if (picture.date) parts.push(day(picture.date));
  return parts.join(" · ");
}

/** Return grey shapes that stand where matches will be. */
export function skeletons(n = 18) {
  const shapes = [1.5, 0.75, 1.33, 1, 1.78, 0.67, 1.4, 1.5, 0.8];
  return h(
    "ul",
    { class: "grid grid-waiting", "aria-hidden": "true" },
    Array.from({ length: n }, (_, place) =>
      h("li", { class: "card", style: { "--shape": shapes[place % shapes.length] } }, h("div", { class: "card-picture" }), h("div", { class: "card-words" }, h("p"), h("p"))),
    ),
  );
}
