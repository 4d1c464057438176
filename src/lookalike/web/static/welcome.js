/** The start of the search page: a place for a picture, and some that the gallery has. */

import { get } from "./api.js";
import { h, refill } from "./dom.js";
import { Grid, skeletons } from "./grid.js";
import { icon } from "./icons.js";
import { addressForm, intakeButtons } from "./intake.js";
import { problemBox } from "./problem_box.js";
import { addressOf, emptyQuestion } from "./question.js";
import { navigate } from "./router.js";
import { t } from "./words.js";

const BROWSED = 36;

/** The start; `onFile` and `onAddress` get what to search with. */
export class Welcome {
  constructor({ known, onFile, onAddress }) {
    Object.assign(this, { onFile, onAddress });
    this.addresses = h("div", { class: "address-place" });
    this.browse = h("section", { class: "browse", "aria-labelledby": "browse-title" });
    this.start = h(
      "section",
      { class: "start", "aria-labelledby": "start-title" },
      h("h1", { id: "start-title" }, t("start.title")),
      h("div", { class: "drop-place" }, icon("mark"), h("p", { class: "drop-words" }, t("start.drop")), h("div", { class: "row" }, intakeButtons(onFile)), this.addresses),
      h("p", { class: "soft" }, t("start.private")),
    );
    this.element = h("div", { class: "welcome" }, this.start, this.browse);
    this.know(known);
    this.#browse();
  }

  /** Take what became known of the gallery. */
  know({ fetchesAddresses }) {
    refill(this.addresses, fetchesAddresses && addressForm(this.onAddress));
  }

  /** Say what went wrong with the picture that was given. */
  showProblem(problem) {
    this.start.prepend(problemBox(problem));
  }

  async #browse() {
    const title = h("h2", { id: "browse-title" }, t("start.browse"));
    refill(this.browse, title, skeletons(12));
    try {
      const { pictures, total } = await get("/pictures", new URLSearchParams({ offset: 0, limit: BROWSED }));
      if (total === 0) {
        this.start.hidden = true; // there is nothing yet to find
        refill(this.browse, emptyGallery());
        return;
      }
      const hrefOf = (picture) => addressOf({ ...emptyQuestion(), query: `id:${picture.id}` });
      const grid = new Grid({ label: t("start.browse"), hrefOf, actions: { open: (picture) => navigate(hrefOf(picture)) } });
      refill(this.browse, title, grid.element);
      grid.append(pictures);
    } catch (problem) {
      refill(this.browse, title, problemBox(problem, () => this.#browse()));
    }
  }
}

function emptyGallery() {
  return h(
    "div",
    { class: "empty" },
    icon("library"),
    h("h2", { id: "browse-title" }, t("start.empty")),
    h("p", {}, t("start.emptywhy")),
    h("a", { class: "button strong", href: "/library", "data-inside": true }, t("start.add")),
  );
}
