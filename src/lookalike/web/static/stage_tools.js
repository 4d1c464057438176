/** The row of buttons over a stage, and the keys that do the same. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { MODES } from "./stage.js";
import { t } from "./words.js";

const MODE_KEYS = { side: "s", slider: "w", flicker: "f", difference: "d" };
const PAN_PX = 80;

/** Return the buttons that choose the mode and the zoom of a stage. */
export function stageTools(stage) {
  const modes = MODES.map((mode) =>
    h(
      "button",
      { type: "button", class: "button tab", "data-mode": mode, "aria-pressed": String(stage.mode === mode), title: t(`stage.${mode}`), on: { click: () => stage.setMode(mode) } },
      icon(mode),
      h("span", {}, t(`stage.${mode}`)),
    ),
  );
  stage.onMode = (mode) => {
    for (const button of modes) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  };
  const outline = h(
    "button",
    { type: "button", class: "button tab", "aria-pressed": String(stage.showsOutline), title: t("stage.outline"), on: { click: () => outline.setAttribute("aria-pressed", String(stage.toggleOutline())) } },
    icon("outline"),
    h("span", {}, t("stage.outline")),
  );
  const zoom = (name, words, run) =>
    h("button", { type: "button", class: "button quiet", title: t(words), "aria-label": t(words), on: { click: run } }, icon(name));
  return h(
    "div",
    { class: "stage-tools", role: "toolbar", "aria-label": t("stage.tools") },
    h("div", { class: "tabs" }, modes),
    outline,
    h(
      "div",
      { class: "zoom" },
      zoom("minus", "stage.smaller", () => stage.zoomBy(1 / 1.5)),
      zoom("fit", "stage.whole", () => stage.reset()),
      zoom("plus", "stage.larger", () => stage.zoomBy(1.5)),
    ),
  );
}

/** Return the keys of a stage for `listen`; `stageNow` gives the stage at the time of the press. */
export function stageKeys(stageNow) {
  const pan = (dx, dy) => () => stageNow()?.panBy(dx, dy);
  return [
    ...MODES.map((mode) => ({ key: MODE_KEYS[mode], words: `stage.${mode}`, run: () => stageNow()?.setMode(mode) })),
    { key: " ", words: "stage.turn", run: () => stageNow()?.turn() },
    { key: ["+", "="], shown: ["+", "−", "0"], words: "stage.zoom", run: () => stageNow()?.zoomBy(1.5) },
    { key: ["-", "_"], run: () => stageNow()?.zoomBy(1 / 1.5) },
    { key: "0", run: () => stageNow()?.reset() },
    { key: "ArrowLeft", shown: ["←", "↑", "↓", "→"], words: "stage.pan", run: pan(PAN_PX, 0) },
    { key: "ArrowRight", run: pan(-PAN_PX, 0) },
    { key: "ArrowUp", run: pan(0, PAN_PX) },
    { key: "ArrowDown", run: pan(0, -PAN_PX) },
  ];
}
