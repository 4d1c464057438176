/** Keys: the page and what lies over it say which they listen to, and the sheet of keys shows them. */

import { h, recall, remember } from "./dom.js";
import { t } from "./words.js";

const scopes = [];

/**
 * Listen to keys until the returned function is called; the newest scope hears first.
 *
 * Each of `keys` is `{ key, words, run }`: `key` as `KeyboardEvent.key` says it, or several; `words` names
 * what the sheet says. A scope that is `modal` keeps keys from those below it.
 */
export function listen(title, keys, { modal = false } = {}) {
  const scope = { title, keys, modal };
  scopes.push(scope);
  return () => {
    const place = scopes.indexOf(scope);
    if (place >= 0) scopes.splice(place, 1);
  };
}

function isOn() {
  return recall("keys") !== "off";
}

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio], [type=range], [type=file]), textarea, select");
}

function matches(key, event) {
  return [key].flat().some((one) => one === event.key || (one.length === 1 && one === event.key.toLowerCase()));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || (event.key.length === 1 && event.key !== "?" && !isOn())) return;
  // Enter and space belong to the control that has the focus.
  const isPress = event.key === "Enter" || event.key === " ";
  if (isPress && event.target.closest("button, a, summary, input, [role=slider], [role=application]")) return;
  if (event.target.matches?.("input[type=range], [role=application]") && event.key.startsWith("Arrow")) return;
  for (const scope of [...scopes].reverse()) {
    const bound = scope.keys.find(({ key }) => matches(key, event));
    if (bound) {
      event.preventDefault();
      bound.run(event);
      return;
    }
    if (scope.modal) return;
  }
});

/** Return what there is to say about the keys that are heard now. */
export function keysHeard() {
  const closing = scopes.findLastIndex((scope) => scope.modal);
  const heard = scopes.slice(Math.max(closing, 0)).reverse();
  return h("div", { class: "keys-heard" }, heard.map(sectionOf), switchOf());
}

function sectionOf(scope) {
  const rows = scope.keys
    .filter(({ words }) => words)
    .map(({ key, shown, words }) =>
      h("div", { class: "keys-row" }, h("dt", {}, (shown ?? [key].flat()).map((one) => h("kbd", {}, nameOf(one)))), h("dd", {}, t(words))),
    );
  return rows.length ? h("section", {}, h("h3", {}, scope.title), h("dl", {}, rows)) : null;
}

function nameOf(key) {
  const names = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", " ": t("keys.space"), Enter: "↵" };
  return names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

function switchOf() {
  const box = h("input", {
    type: "checkbox",
    checked: isOn(),
    on: { change: () => remember("keys", box.checked ? null : "off") },
  });
  return h("label", { class: "check" }, box, t("keys.switch"));
}
