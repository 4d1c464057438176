/** Pictures to compare: side by side with one zoom and pan, behind a slider, in turns, or as their difference. */

import { h, prefersStill, refill, svg } from "./dom.js";
import { enlargement, invert, move, moveStep, multiply, stretch, toCss } from "./geometry.js";
import { t } from "./words.js";

export const MODES = ["side", "slider", "flicker", "difference"];

const LARGEST_ZOOM = 32;
const FLICKER_MS = 700;
const SMALL_PX = 1024;
const MUCH_LARGER = 1.2;

/**
 * A stage for two or more pictures; the first is the one that the others are laid on.
 *
 * Each picture is `{ source, full, width, height, name, matrix, outline, differs }`: the address of a small version
 * and, where the browser can show it, of the original; its size in pixels; what to call it; the matrix from
 * the first picture's pixels to its own, or null where no placement is known; and the outlines of the
 * overlap and of what differs, in its own pixels. All modes but `side` show the first picture and the `other`.
 */
export class Stage {
  constructor({ pictures, mode = "side", onMode = () => {} }) {
    this.onMode = onMode;
    this.mode = mode;
    this.other = 1;
    this.split = 0.5;
    this.showsOutline = true;
    this.element = h("div", { class: "stage" });
    this.observer = new ResizeObserver(() => this.#render());
    this.observer.observe(this.element);
    this.show(pictures);
  }

  /** Show other pictures. */
  show(pictures) {
    this.pictures = pictures.map((picture) => ({
      ...picture,
      toOwn: picture.matrix ?? stretch(pictures[0], picture),
      image: h("img", { src: picture.source, alt: picture.name, draggable: "false" }),
    }));
    for (const { image, width, height } of this.pictures) {
      image.style.width = `${width}px`;
      image.style.height = `${height}px`;
    }
    this.other = Math.min(this.other, this.pictures.length - 1);
    this.bounds = boundsOf(this.pictures);
    this.view = { zoom: 1, centre: [pictures[0].width / 2, pictures[0].height / 2] };
    this.#build();
  }

  /** Say how a picture lies on the first one, as soon as it is known. */
  place(which, { matrix = null, outline = [], differs = [] }) {
    const picture = this.pictures[which];
    picture.toOwn = matrix ?? stretch(this.pictures[0], picture);
    picture.outline = outline;
    picture.differs = differs;
    this.bounds = boundsOf(this.pictures);
    this.#settle();
  }

  /** Choose how the pictures are compared, one of `MODES`. */
  setMode(mode) {
    this.mode = mode;
    this.#build();
    this.onMode(mode);
  }

  /** Choose which picture is compared with the first in the modes that show two. */
  setOther(place) {
    this.other = place;
    if (this.mode !== "side") this.#build();
  }

  /** Show or hide the outline of the overlap. */
  toggleOutline() {
    this.showsOutline = !this.showsOutline;
    this.#render();
    return this.showsOutline;
  }

  /** Enlarge by a factor, around a point of the first picture. */
  zoomBy(factor, around = this.view.centre) {
    const zoom = Math.min(LARGEST_ZOOM, Math.max(1, this.view.zoom * factor));
    const share = this.view.zoom / zoom;
    this.view.centre = this.view.centre.map((value, axis) => around[axis] + (value - around[axis]) * share);
    this.view.zoom = zoom;
    this.#settle();
  }

  /** Move what is seen by pixels of the screen. */
  panBy(dx, dy) {
    this.#pan(0, dx, dy);
  }

  /** See all of every picture again. */
  reset() {
    this.view.zoom = 1;
    this.#settle();
  }

  /** Show the other of the two pictures now. */
  turn() {
    this.element.classList.toggle("shows-second");
  }

  /** Stop whatever goes on. */
  release() {
    clearInterval(this.timer);
    this.observer.disconnect();
  }

  // Building

  #build() {
    clearInterval(this.timer);
    this.element.dataset.mode = this.mode;
    this.element.classList.remove("shows-second");
    this.panes = this.mode === "side" ? this.pictures.map((_, place) => this.#pane([place])) : [this.#pane([0, this.other])];
    refill(this.element, this.panes.map((pane) => pane.element), this.mode === "slider" && this.#slider());
    if (this.mode === "flicker" && !prefersStill()) this.timer = setInterval(() => this.turn(), FLICKER_MS);
    this.#render();
  }

  #pane(places) {
    const layers = places.map((place) => h("div", { class: "layer" }, this.pictures[place].image));
    const outline = svg("svg", { class: "outline", "aria-hidden": "true" });
    const captions = places.map((place) => h("span", { class: "pane-name" }, this.pictures[place].name));
    const stack = h("div", { class: "stack" }, layers);
    const element = h("div", { class: "pane" }, stack, outline, h("div", { class: "pane-names" }, captions));
    const pane = { places, layers, outline, stack, element };
    listenToPointers(element, {
      onZoom: (factor, point) => this.zoomBy(factor, this.#sharedPoint(pane, point)),
      onDrag: (dx, dy, point) => this.#drag(pane, dx, dy, point),
      onDouble: (point) => (this.view.zoom > 1 ? this.reset() : this.zoomBy(4, this.#sharedPoint(pane, point))),
    });
    return pane;
  }

  #slider() {
    const range = h("input", {
      type: "range",
      class: "split",
      min: 0,
      max: 100,
      value: this.split * 100,
      "aria-label": t("stage.split"),
      on: { input: () => this.#setSplit(range.value / 100) },
    });
    this.range = range;
    return [h("div", { class: "divider", "aria-hidden": "true" }), range];
  }

  #setSplit(share) {
    this.split = Math.min(1, Math.max(0, share));
    if (this.range) this.range.value = this.split * 100;
    this.#render();
  }

  // Moving

  #drag(pane, dx, dy, point) {
    const { width } = pane.element.getBoundingClientRect();
    const isAtDivider = Math.abs(point[0] - dx - this.split * width) < 24;
    if (this.mode === "slider" && (this.view.zoom === 1 || isAtDivider)) this.#setSplit(point[0] / width);
    else this.#pan(pane.places[0], dx, dy);
  }

  #pan(place, dx, dy) {
    const { toOwn } = this.pictures[place];
    const placed = this.#placing(this.panes[Math.min(place, this.panes.length - 1)], place);
    const at = move(toOwn, this.view.centre);
    const step = moveStep(invert(toOwn), at, [-dx / placed.scale, -dy / placed.scale]);
    this.view.centre = [this.view.centre[0] + step[0], this.view.centre[1] + step[1]];
    this.#settle();
  }

  #settle() {
    const { zoom, centre } = this.view;
    const [low, high] = this.bounds;
    const middle = [this.pictures[0].width / 2, this.pictures[0].height / 2];
    this.view.centre = zoom === 1 ? middle : centre.map((value, axis) => Math.min(high[axis], Math.max(low[axis], value)));
    this.#render();
  }

  // Placing

  /**
   * Return where a picture is in a pane: the point of it that is in the middle, and its scale.
   *
   * Whole at first, each picture fills its pane; from twofold on, all panes show the same part of the
   * scene at the same size; between, the one passes into the other.
   */
  #placing(pane, place) {
    const area = pane.element.getBoundingClientRect();
    const { width, height, toOwn } = this.pictures[place];
    const { zoom, centre } = this.view;
    const whole = fit(area, this.pictures[place]);
    const same = (fit(area, this.pictures[0]) * zoom) / enlargement(toOwn, centre);
    const share = Math.min(1, Math.log2(zoom));
    const there = move(toOwn, centre);
    return {
      centre: [width / 2 + (there[0] - width / 2) * share, height / 2 + (there[1] - height / 2) * share],
      scale: Math.exp(Math.log(whole * zoom) * (1 - share) + Math.log(same) * share),
    };
  }

  /** Return the matrix from a picture's pixels to the pane. */
  #toPane(pane, place) {
    const { width, height } = pane.element.getBoundingClientRect();
    const isLaidOver = this.mode !== "side";
    const { centre, scale } = isLaidOver
      ? { centre: this.view.centre, scale: fit({ width, height }, this.pictures[0]) * this.view.zoom }
      : this.#placing(pane, place);
    const seen = [
      [scale, 0, width / 2 - centre[0] * scale],
      [0, scale, height / 2 - centre[1] * scale],
      [0, 0, 1],
    ];
    return isLaidOver ? multiply(seen, invert(this.pictures[place].toOwn)) : seen;
  }

  #sharedPoint(pane, point) {
    const place = pane.places[0];
    const own = move(invert(this.#toPane(pane, place)), point);
    return move(invert(this.pictures[place].toOwn), own);
  }

  // Drawing

  #render() {
    if (!this.panes || this.element.clientWidth === 0) return;
    const area = this.element.getBoundingClientRect();
    const columns = this.mode === "side" ? bestColumns(area, this.pictures) : 1;
    this.element.style.setProperty("--columns", columns);
    this.element.style.setProperty("--rows", Math.ceil(this.panes.length / columns));
    this.element.classList.toggle("is-zoomed", this.view.zoom > 1);
    for (const pane of this.panes) {
      pane.places.forEach((place, layer) => {
        const matrix = this.#toPane(pane, place);
        this.pictures[place].image.style.transform = toCss(matrix);
        this.#sharpen(this.pictures[place], enlargement(matrix, this.view.centre));
        pane.layers[layer].style.clipPath = layer === 1 && this.mode === "slider" ? `inset(0 0 0 ${this.split * 100}%)` : "";
      });
      this.#cutToOverlap(pane);
      this.#drawOutline(pane);
    }
    this.element.style.setProperty("--split", `${this.split * 100}%`);
  }

  #drawOutline(pane) {
    const place = pane.places.length > 1 ? this.other : pane.places[0];
    const matrix = this.#toPane(pane, place);
    const { outline = [], differs = [] } = this.pictures[place];
    const pointsOf = (polygon) =>
      polygon.map((corner) => move(matrix, corner).map((value) => value.toFixed(1)).join(",")).join(" ");
    const shown = this.showsOutline ? [outline, ...differs] : [];
    refill(pane.outline, shown.map((polygon, n) => svg("polygon", { class: n ? "differs" : "overlap", points: pointsOf(polygon) })));
  }

  /** Show a difference only where both pictures are. */
  #cutToOverlap(pane) {
    pane.stack.style.clipPath = this.mode === "difference" ? this.#shapeInPane(pane, 0) : "";
    if (this.mode === "difference") pane.layers[0].style.clipPath = this.#shapeInPane(pane, this.other);
  }

  #shapeInPane(pane, place) {
    const { width, height } = this.pictures[place];
    const matrix = this.#toPane(pane, place);
    const corners = cornersOf(width, height).map((corner) => move(matrix, corner));
    return `polygon(${corners.map(([x, y]) => `${x.toFixed(1)}px ${y.toFixed(1)}px`).join(",")})`;
  }

  /** Fetch the original once the small version is seen enlarged. */
  #sharpen(picture, scale) {
    const shown = scale * Math.max(picture.width, picture.height) * devicePixelRatio;
    if (!picture.full || picture.isSharp || shown < SMALL_PX * 1.1) return;
    picture.isSharp = true;
    const original = new Image();
    original.src = picture.full;
    original.decode().then(
      () => {
        picture.image.src = picture.full;
      },
      () => {
        // Too large or damaged for the browser: the small version stays.
      },
    );
  }
}

function fit(area, { width, height }) {
  return Math.min(area.width / width, area.height / height);
}

/** Return in how many columns pictures stand: in one row, unless they are seen much larger in several. */
function bestColumns({ width, height }, pictures) {
  const seen = (columns) => {
    const pane = { width: width / columns, height: height / Math.ceil(pictures.length / columns) };
    return pictures.reduce((sum, picture) => sum + fit(pane, picture) * Math.sqrt(picture.width * picture.height), 0);
  };
  const choices = pictures.map((_, place) => pictures.length - place);
  return choices.reduce((best, columns) => (seen(columns) > seen(best) * MUCH_LARGER ? columns : best));
}

function cornersOf(width, height) {
  return [[0, 0], [width, 0], [width, height], [0, height]];
}

/** Return the lowest and the highest corner of all pictures, in pixels of the first. */
function boundsOf(pictures) {
  const corners = pictures.flatMap(({ width, height, toOwn }) =>
    cornersOf(width, height).map((corner) => move(invert(toOwn), corner)),
  );
  const along = (axis) => corners.map((corner) => corner[axis]);
  return [
    [Math.min(...along(0)), Math.min(...along(1))],
    [Math.max(...along(0)), Math.max(...along(1))],
  ];
}

/** Turn wheel, mouse, touch and pinch into zooming and dragging; points are in the pane's own pixels. */
function listenToPointers(pane, { onZoom, onDrag, onDouble }) {
  const pointers = new Map();
  const inside = (event) => {
    const area = pane.getBoundingClientRect();
    return [event.clientX - area.left, event.clientY - area.top];
  };
  const spread = () => {
    const [one, two] = [...pointers.values()];
    return Math.hypot(one[0] - two[0], one[1] - two[1]);
  };
  pane.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      onZoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.002)), inside(event));
    },
    { passive: false },
  );
  pane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pane.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, inside(event));
  });
  pane.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const point = inside(event);
    if (pointers.size === 2) {
      const wide = spread();
      pointers.set(event.pointerId, point);
      const [one, two] = [...pointers.values()];
      onZoom(spread() / Math.max(wide, 1), [(one[0] + two[0]) / 2, (one[1] + two[1]) / 2]);
    } else {
      pointers.set(event.pointerId, point);
      onDrag(point[0] - before[0], point[1] - before[1], point);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    pane.addEventListener(end, (event) => pointers.delete(event.pointerId));
  }
  pane.addEventListener("dblclick", (event) => onDouble(inside(event)));
}
