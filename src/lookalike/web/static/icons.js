/** The icons, drawn on a 24 x 24 grid with a stroke in the colour of the text. */

import { svg } from "./dom.js";

const PATHS = {
  mark: "M3 6a3 3 0 0 1 3-3h6a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3z M9 12a3 3 0 0 1 3-3h6a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-6a3 3 0 0 1-3-3z",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14z M16 16l4.5 4.5",
  copies: "M8 8V5a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-3 M5 8h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z",
  library: "M4 7a1 1 0 0 1 1-1h5l2 2h7a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1z",
  upload: "M12 15V4 M7.5 8.500L12 4l4.5 4.5 M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4",
  camera: "M4 8h3.500l1.5-2.500h6L16.5 8H20a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z M12 10a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.400z",
  part: "M4 8V5a1 1 0 0 1 1-1h3 M16 4h3a1 1 0 0 1 1 1v3 M20 16v3a1 1 0 0 1-1 1h-3 M8 20H5a1 1 0 0 1-1-1v-3 M9 9h6v6H9z",
  close: "M6 6l12 12 M18 6L6 18",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  like: "M8 10.500v9H4.500v-9z M8 10.500l3.6-6.500c1.6 0 2.5 1.2 2.2 2.800L13.2 10H18a2 2 0 0 1 2 2.300l-1 5.600a2 2 0 0 1-2 1.600H8",
  dislike: "M16 13.500v-9h3.500v9z M16 13.500l-3.6 6.500c-1.6 0-2.5-1.2-2.2-2.800l.6-3.200H6a2 2 0 0 1-2-2.300l1-5.600A2 2 0 0 1 7 4.500h9",
  check: "M5 12.500l4.5 4.500L19 7.5",
  undo: "M9 5L4.5 9.5 9 14 M4.5 9.500H15a5 5 0 0 1 0 10h-4",
  plan: "M9 6h11 M9 12h11 M9 18h11 M4.5 6h.01 M4.5 12h.01 M4.5 18h.01",
  stop: "M7 7h10v10H7z",
  start: "M8 5.500v13l10.5-6.500z",
  warning: "M12 4.500L21 19.500H3z M12 10v4.5 M12 17.200v.01",
  side: "M4 5h7v14H4z M13 5h7v14h-7z",
  slider: "M4 5h16v14H4z M12 3v18 M9 10l-2 2 2 2 M15 10l2 2-2 2",
  flicker: "M4 5h10v10H4z M10 19h10V9",
  difference: "M9.5 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z M14.5 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z",
  outline: "M5 8l7-4 7 5-3 10-9 1z",
  plus: "M12 5v14 M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V5a1 1 0 0 1 1-1h4 M15 4h4a1 1 0 0 1 1 1v4 M20 15v4a1 1 0 0 1-1 1h-4 M9 20H5a1 1 0 0 1-1-1v-4",
  filter: "M4 6h16 M7 12h10 M10 18h4",
  keys: "M3 7h18v11H3z M7 11h.01 M11 11h.01 M15 11h.01 M18 11h.01 M8 14.500h8",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 3v1.5 M12 19.500V21 M3 12h1.5 M19.5 12H21 M5.6 5.600l1.1 1.1 M17.3 17.300l1.1 1.1 M5.6 18.400l1.1-1.1 M17.3 6.700l1.1-1.1",
  moon: "M19.5 14.500A8 8 0 0 1 9.5 4.500a8 8 0 1 0 10 10z",
  system: "M12 4a8 8 0 1 0 0 16z M12 4a8 8 0 0 1 0 16",
  differs: "M7 9h10 M7 15h10 M16 5L8 19",
  again: "M19 6v4.500h-4.5 M19 10.500A7.5 7.5 0 1 0 19.5 14",
  open: "M13 5h6v6 M19 5l-8 8 M10 6H6a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1h11a1 1 0 0 0 1-1v-4",
  trash: "M5 7h14 M9.5 7V4.500h5V7 M7 7l1 12.500h8L17 7",
};

/** Return one icon; it is an ornament, so whatever it stands beside or in needs its own words. */
export function icon(name) {
  return svg(
    "svg",
    { class: `icon icon-${name}`, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] }),
  );
}

const RUNGS = ["different", "similar", "same_scene", "variant", "copy", "same_pixels", "same_file"];

/** Return the six rungs of the relation ladder, filled as high as a relation stands on it. */
export function ladder(relation) {
  const height = RUNGS.indexOf(relation);
  const rungs = [1, 2, 3, 4, 5, 6].map((rung) =>
    svg("rect", {
      class: rung <= height ? "rung rung-on" : "rung",
      x: (rung - 1) * 4,
      y: 14 - rung * 2 - 2,
      width: 2.6,
      height: rung * 2 + 2,
      rx: 0.8,
    }),
  );
  return svg("svg", { class: "ladder", viewBox: "0 0 23 14", "aria-hidden": "true", focusable: "false" }, rungs);
}
