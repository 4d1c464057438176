/** Building elements. Text from anywhere is only ever set as text, never parsed as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return an element. Of the attributes, `class` may be a list with falsy items; `on` maps events to
 * listeners, `style` properties to values (set through the CSSOM, which the content policy allows), `data`
 * names to values; true sets a bare attribute, and null, undefined and false leave one out.
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Return an SVG element; see `h`. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  } else if (name === "style") {
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  } else if (name === "data") {
    Object.assign(element.dataset, value);
  } else if (name === "class" && Array.isArray(value)) {
    element.setAttribute("class", value.filter(Boolean).join(" "));
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Replace all children of an element. */
export function refill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return words of a button that a narrow screen has no room for; they are read out all the same. */
export function toolWords(text) {
  return h("span", { class: "tool-words" }, text);
}

/** Say something to a screen reader without moving the focus. */
export function announce(text) {
  const live = document.getElementById("live");
  live.textContent = "";
  // A text set twice in a row is read twice only when it was away in between.
  setTimeout(() => {
    live.textContent = text;
  }, 60);
}

/** Whether the person asked for less movement on the screen. */
export function prefersStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Read a value that was remembered on this device, or null. */
export function recall(name) {
  try {
    return localStorage.getItem(`lookalike.${name}`);
  } catch {
    return null;
  }
}

/** Remember a value on this device; null forgets it. A browser that keeps nothing is not an error. */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`lookalike.${name}`);
    else localStorage.setItem(`lookalike.${name}`, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}
