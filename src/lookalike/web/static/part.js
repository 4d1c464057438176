/** Drawing a box on the query to search for that part only: by mouse, touch or keys. */

import { announce, h } from "./dom.js";
import { percent, t } from "./words.js";

const STEP = 0.02;
const SMALLEST = 0.04;
const TALLEST_PX = 300;

/**
 * A picture on which a box can be drawn.
 *
 * `onChange` is called with `[x, y, width, height]` as shares of the picture once a box is finished, or
 * with null when it is taken away.
 */
export class PartPicker {
  constructor({ source, alt, box, onChange }) {
    this.onChange = onChange;
    this.box = box;
    this.image = h("img", { src: source, alt, draggable: "false", on: { load: () => this.#fit(), error: () => this.element.classList.add("is-missing") } });
    this.frame = h("div", {
      class: "part-box",
      tabindex: "0",
      role: "application",
      "aria-roledescription": t("part.role"),
      on: { keydown: (event) => this.#onKey(event), blur: () => this.#finishKeys() },
    });
    this.element = h("div", { class: "part-picker", on: { pointerdown: (event) => this.#begin(event) } }, this.image, this.frame);
    this.#show();
  }

  /** Take touches for drawing rather than for scrolling; a mouse can always draw. */
  set isArmed(armed) {
    this.element.classList.toggle("is-armed", armed);
  }

  /** Show a box that was decided elsewhere, or none. */
  setBox(box) {
    this.box = box;
    this.#show();
  }

  /** Put a box in the middle, ready to be moved by keys. */
  start() {
    this.isArmed = true;
    this.box ??= [0.25, 0.25, 0.5, 0.5];
    this.#show();
    this.frame.focus();
    announce(t("part.keys"));
  }

  /** Take the box away. */
  clear() {
    this.box = null;
    this.isArmed = false;
    this.#show();
    this.onChange(null);
  }

  /** Fill the width, but let a tall picture not push everything else away. */
  #fit() {
    this.element.classList.remove("is-missing");
    const shape = this.image.naturalWidth / this.image.naturalHeight;
    this.element.style.width = `min(100%, ${TALLEST_PX * shape}px)`;
  }

  #show() {
    this.frame.hidden = this.box === null;
    if (this.box === null) return;
    const names = ["left", "top", "width", "height"];
    names.forEach((name, place) => this.frame.style.setProperty(name, `${this.box[place] * 100}%`));
    const [x, y, width, height] = this.box.map((side) => percent(side));
    this.frame.setAttribute("aria-label", t("part.label", { x, y, width, height }));
  }

  #begin(event) {
    if (event.button !== 0 || (event.pointerType === "touch" && !this.element.classList.contains("is-armed"))) return;
    event.preventDefault();
    const area = this.image.getBoundingClientRect();
    const at = (pointer) => [clamp((pointer.clientX - area.left) / area.width), clamp((pointer.clientY - area.top) / area.height)];
    const anchor = event.target === this.frame ? oppositeCorner(event, this.frame, this.box) : null;
    const start = anchor ?? at(event);
    const before = this.box;
    const isMove = event.target === this.frame && anchor === null;
    const follow = (pointer) => {
      this.box = isMove ? moved(before, at(pointer), start) : between(start, at(pointer));
      this.#show();
    };
    const end = (pointer) => {
      this.element.removeEventListener("pointermove", follow);
      this.element.removeEventListener("pointerup", end);
      this.element.removeEventListener("pointercancel", end);
      follow(pointer);
      if (Math.min(this.box[2], this.box[3]) < SMALLEST) {
        this.box = before;
        this.#show();
      } else this.onChange(this.box);
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", follow);
    this.element.addEventListener("pointerup", end);
    this.element.addEventListener("pointercancel", end);
  }

  #onKey(event) {
    const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.key === "Enter") {
      this.isChangedByKeys = false;
      this.onChange(this.box);
    } else if (event.key === "Escape" || event.key === "Delete" || event.key === "Backspace") {
      this.isChangedByKeys = false;
      this.clear();
    } else if (event.key in steps) {
      const [dx, dy] = steps[event.key];
      const [x, y, width, height] = this.box;
      this.box = event.shiftKey
        ? [x, y, Math.min(1 - x, Math.max(SMALLEST, width + dx)), Math.min(1 - y, Math.max(SMALLEST, height + dy))]
        : moved(this.box, [dx, dy], [0, 0]);
      this.isChangedByKeys = true;
      this.#show();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #finishKeys() {
    if (!this.isChangedByKeys) return;
    this.isChangedByKeys = false;
    if (this.box !== null) this.onChange(this.box);
  }
}

function clamp(share) {
  return Math.min(1, Math.max(0, share));
}

function between(start, end) {
  return [Math.min(start[0], end[0]), Math.min(start[1], end[1]), Math.abs(end[0] - start[0]), Math.abs(end[1] - start[1])];
}

function moved([x, y, width, height], to, from) {
  const keep = (place, size, step) => Math.min(1 - size, Math.max(0, place + step));
  return [keep(x, width, to[0] - from[0]), keep(y, height, to[1] - from[1]), width, height];
}

/** Return the corner of the box that stays when the pointer has hold of another one, or null. */
function oppositeCorner(event, frame, [x, y, width, height]) {
  const area = frame.getBoundingClientRect();
  const reach = Math.min(16, area.width / 3, area.height / 3);
  const isRight = area.right - event.clientX < reach;
  const isBottom = area.bottom - event.clientY < reach;
  const isCorner = (isRight || event.clientX - area.left < reach) && (isBottom || event.clientY - area.top < reach);
  return isCorner ? [isRight ? x : x + width, isBottom ? y : y + height] : null;
}
