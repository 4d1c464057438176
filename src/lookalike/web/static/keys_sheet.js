/** The sheet of keys, behind `?`. */

import { keysHeard } from "./keys.js";
import { openSheet } from "./sheet.js";
import { t } from "./words.js";

/** Show which keys are heard now. */
export function showKeys() {
  if (document.querySelector("dialog.keys")) return;
  openSheet({ title: t("keys.title"), name: "keys", content: keysHeard() });
}
