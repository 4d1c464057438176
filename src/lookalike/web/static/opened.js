/** The match that is opened in the viewer over the results: the address says which. */

import { get } from "./api.js";
import { addressOf } from "./question.js";
import { navigate } from "./router.js";
import { Viewer } from "./viewer.js";

const NEAR_THE_END = 4;

/**
 * Opens, steps through and closes matches by the address.
 *
 * `now` gives the question, the query and the grid as they are; `more` fetches more matches; `like(match, liked)`,
 * `searchWith(match)` and `opinionOf(match)` are those of the results.
 */
export class OpenedMatch {
  constructor(results) {
    this.results = results;
    this.viewer = null;
  }

  get isOpen() {
    return this.viewer !== null;
  }

  /** Open a match. */
  open(match) {
    this.opener = match;
    navigate(addressOf({ ...this.results.now().question, open: match.id }), { state: { isOpened: true } });
  }

  /** Open or close the viewer as the address says. */
  async follow() {
    const { question, query, grid } = this.results.now();
    const { open } = question;
    if (open === null) {
      this.close();
      return;
    }
    if (!query || !grid || this.viewer?.match.id === open) return;
    let match = grid.matches.find((one) => one.id === open);
    if (!match) {
      try {
        match = { relation: "different", ...(await get(`/pictures/${open}`)) };
      } catch {
        navigate(addressOf({ ...this.results.now().question, open: null }), { replace: true });
        return;
      }
      if (this.results.now().question.open !== open) return;
    }
    const { like, searchWith, opinionOf } = this.results;
    this.viewer ??= new Viewer({
      close: () => this.#leave(),
      previous: () => this.#step(-1),
      next: () => this.#step(1),
      like,
      searchWith,
      opinionOf,
    });
    this.opener = match;
    this.viewer.show(this.results.now().query, match);
  }

  /** Show the opinions as they are now. */
  showOpinions() {
    this.viewer.showOpinions();
  }

  /** Close the viewer, and go back to the match in the grid. */
  close() {
    if (!this.viewer) return;
    this.viewer.remove();
    this.viewer = null;
    if (this.opener) this.results.now().grid?.focus(this.opener);
  }

  #step(by) {
    const { question, grid } = this.results.now();
    const place = grid.matches.findIndex((match) => match.id === question.open) + by;
    if (place < 0 || place >= grid.matches.length) return;
    navigate(addressOf({ ...question, open: grid.matches[place].id }), { replace: true, state: history.state });
    if (place > grid.matches.length - NEAR_THE_END) this.results.more();
  }

  #leave() {
    if (history.state?.isOpened) history.back();
    else navigate(addressOf({ ...this.results.now().question, open: null }), { replace: true });
  }
}
