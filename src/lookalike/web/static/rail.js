/** The rail of all groups of a review: what each would save, and what was decided about it. */

import { thumbnailAddress } from "./api.js";
import { Decisions } from "./decisions.js";
import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { bytes, t } from "./words.js";

const STATES = { accepted: "check", apart: "differs", done: "trash" };

/** A list of groups; `onChoose` takes one that was clicked, and `onEnd` is called where the last one comes into sight. */
export class Rail {
  constructor(decisions, { onChoose, onEnd }) {
    this.decisions = decisions;
    this.onChoose = onChoose;
    this.element = h("ol", { class: "rail", "aria-label": t("review.groups") });
    this.watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && onEnd(), { root: null, rootMargin: "400px" });
  }

  /** Show groups after those that are there. */
  append(groups) {
    this.element.append(...groups.map((group) => this.#item(group)));
  }

  /** Watch for the end, where more groups are to come. */
  watchEnd(hasMore) {
    this.watcher.disconnect();
    if (hasMore && this.element.lastElementChild) this.watcher.observe(this.element.lastElementChild);
  }

  /** Mark the group that is on the desk. */
  mark(group) {
    for (const item of this.element.children) {
      const isHere = item.dataset.group === String(group.number);
      item.firstElementChild.setAttribute("aria-current", isHere ? "true" : "false");
      if (isHere) item.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  /** Show what is decided about a group. */
  showState(group, item = this.element.querySelector(`[data-group="${group.number}"]`)) {
    const { state } = this.decisions.of(group);
    item.dataset.state = state ?? "";
    refill(item.querySelector(".rail-state"), state && [icon(STATES[state]), h("span", { class: "unseen" }, t(`review.${state}`))]);
  }

  /** Stop watching. */
  release() {
    this.watcher.disconnect();
  }

  #item(group) {
    const pictures = Decisions.picturesOf(group);
    const item = h(
      "li",
      { "data-group": group.number },
      h(
        "button",
        { type: "button", class: "rail-item", "aria-label": t("review.item", { number: group.number, n: pictures.length, size: bytes(group.saved_bytes) }), on: { click: () => this.onChoose(group) } },
        h("span", { class: "rail-pictures" }, pictures.slice(0, 2).map((picture) => h("img", { src: thumbnailAddress(picture.id, 128), alt: "", loading: "lazy", decoding: "async" }))),
        h("span", { class: "rail-words" }, h("strong", {}, group.saved_bytes > 0 ? bytes(group.saved_bytes) : t("review.nothing")), h("span", {}, t("review.pictures", { n: pictures.length }))),
        h("span", { class: "rail-state" }),
      ),
    );
    this.showState(group, item);
    return item;
  }
}
