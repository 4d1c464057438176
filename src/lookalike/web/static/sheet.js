/** A sheet over the page: a dialog with a title that closes by its button, by Esc and by itself. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { listen } from "./keys.js";
import { t } from "./words.js";

/** Open a sheet with some content; returns it, `close()` closes it. */
export function openSheet({ title, content, name, onClose = () => {}, keys = [] }) {
  const close = h("button", { class: "button quiet", type: "button", "aria-label": t("close"), title: t("close"), on: { click: () => sheet.close() } }, icon("close"));
  const id = `${name}-title`;
  const sheet = h(
    "dialog",
    { class: `sheet ${name}`, "aria-labelledby": id },
    h("header", { class: "sheet-head" }, h("h2", { id, tabindex: "-1", autofocus: true }, title), close),
    content,
  );
  const release = listen(title, keys, { modal: true });
  sheet.addEventListener("close", () => {
    release();
    sheet.remove();
    onClose();
  });
  document.body.append(sheet);
  sheet.showModal();
  return sheet;
}
