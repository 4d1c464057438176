/** The search page: a query beside its results; the address bar holds the whole question. */

import { keepAnswer, keptAnswer } from "./answers.js";
import { get, post, postForm, useThumbnailKey } from "./api.js";
import { announce, h, refill } from "./dom.js";
import { conditionChips } from "./filters.js";
import { Grid, skeletons } from "./grid.js";
import { listenToIntake } from "./intake.js";
import { listen } from "./keys.js";
import { OpenedMatch } from "./opened.js";
import { addressOf, emptyQuestion, pageParameters, readQuestion } from "./question.js";
import { problemBox } from "./problem_box.js";
import { QueryPanel } from "./query_panel.js";
import { navigate } from "./router.js";
import { nothingFound, summaryOf } from "./summary.js";
import { Welcome } from "./welcome.js";
import { t } from "./words.js";

const PAGE = 40;
const LAST_OFFSET = 1000;

// What is known here only of pictures that were sent, by the reference that the server gave them.
const sent = new Map();

/** Show the search page in an element; returns what the shell calls. */
export function mountSearch(main) {
  const page = new SearchPage(main);
  page.update("start");
  return page;
}

class SearchPage {
  constructor(main) {
    this.main = main;
    this.known = { ways: ["auto"], formats: [], folders: [], calibratedWays: [], fetchesAddresses: false, nPictures: null };
    this.shown = null;
    this.opened = new OpenedMatch({
      now: () => ({ question: this.question, query: this.query, grid: this.grid }),
      like: (match, liked) => this.#like(match, liked),
      searchWith: (match) => this.#searchWith(match),
      opinionOf: (match) => this.#opinionOf(match),
      more: () => this.#more(),
    });
    this.releases = [
      listenToIntake({ onFile: (file) => this.#searchFile(file), onAddress: (address) => this.#searchAddress(address), onProblem: (problem) => this.#refuse(problem) }),
      listen(t("nav.search"), this.#keys()),
    ];
    this.sentinel = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.#more(), { rootMargin: "600px" });
    this.#learn();
  }

  /** Show what the address bar asks. */
  update(cause) {
    const question = readQuestion(location.search);
    if (this.#keepsLikes(cause, question)) return;
    const key = addressOf({ ...question, open: null });
    if (this.shown !== key) {
      if (question.open === null || question.query !== this.question?.query) this.opened.close();
      this.shown = key;
      this.question = question;
      if (question.query) this.#ask();
      else this.#welcome();
      if (cause === "history" || cause === "start" || cause === "language") this.#scrollBack();
      else if (!this.isRefining) scrollTo(0, 0);
      this.isRefining = false;
    }
    this.question = question;
    this.opened.follow();
  }

  /** Take likes that were given in the viewer along when it is left for the entry before it, which has none of them. */
  #keepsLikes(cause, question) {
    if (!this.likedInViewer || cause !== "history") return false;
    this.likedInViewer = false;
    if (question.open !== null || question.query !== this.question.query) return false;
    const { liked, disliked } = this.question;
    navigate(addressOf({ ...question, liked, disliked }), { replace: true, state: history.state });
    return true;
  }

  /** Leave the page. */
  unmount() {
    this.asking?.abort();
    this.sentinel.disconnect();
    this.opened.close();
    for (const release of this.releases) release();
  }

  /** Find out what there is to choose from; the page works before it is known. */
  async #learn() {
    try {
      const [ways, info] = await Promise.all([get("/ways"), get("/info")]);
      useThumbnailKey(info.key);
      this.known = {
        ways,
        formats: Object.keys(info.formats ?? {}).sort(),
        folders: (info.folders ?? []).map((folder) => folder.path ?? folder),
        calibratedWays: Object.keys(info.calibration?.ways ?? {}),
        fetchesAddresses: Boolean(info.address_fetching),
        nPictures: info.n_files,
      };
      (this.panel ?? this.welcome)?.know(this.known);
    } catch (problem) {
      if (problem.name !== "AbortError") this.#fail(problem);
    }
  }

  // The question

  #welcome() {
    this.asking?.abort();
    this.panel = null;
    this.grid = null;
    this.welcome = new Welcome({ known: this.known, onFile: (file) => this.#searchFile(file), onAddress: (address) => this.#searchAddress(address) });
    refill(this.main, this.welcome.element);
  }

  /** Say above what is shown what is wrong with what was dropped or pasted. */
  #refuse(problem) {
    this.refusal?.remove();
    this.refusal = problemBox(problem);
    (this.welcome?.start ?? this.main).prepend(this.refusal);
    announce(problem.message);
  }

  async #searchFile(file) {
    const preview = URL.createObjectURL(file);
    const format = file.type.replace("image/", "");
    await this.#upload({ image: file }, { path: file.name || t("search.uploaded"), size_bytes: file.size, format }, preview);
    URL.revokeObjectURL(preview);
  }

  #searchAddress(address) {
    return this.#upload({ address }, { path: address }, null);
  }

  async #upload(fields, facts, preview) {
    this.opened.close();
    this.asking?.abort();
    this.asking = new AbortController();
    const { query: _query, box: _box, liked: _liked, disliked: _disliked, open: _open, ...conditions } = this.question;
    const question = { ...emptyQuestion(), ...conditions };
    this.shown = null;
    this.#showWaiting(facts.path, preview);
    try {
      const parameters = pageParameters(question, { offset: 0, k: PAGE, verify: asksForProof(question) });
      const answer = await postForm("/search", fields, parameters, { signal: this.asking.signal });
      const asked = { ...question, query: answer.query_id };
      sent.set(answer.query_id, facts);
      keepAnswer(addressOf(asked), { ...answer, has_more: answer.has_more ?? answer.matches.length >= PAGE });
      navigate(addressOf(asked));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.shown = null;
      this.question = question;
      this.#welcome();
      this.shown = "/";
      this.welcome.showProblem(problem);
      announce(problem.message);
    }
  }

  #showWaiting(label, preview) {
    this.panel = null;
    this.welcome = null;
    const picture = preview === null ? null : h("img", { src: preview, alt: "" });
    refill(
      this.main,
      h(
        "div",
        { class: "asking" },
        h("aside", { class: "query-panel" }, h("div", { class: "query-picture is-sending" }, picture), h("p", { class: "waiting-line", role: "status" }, t("search.sending", { label }))),
        h("section", { class: "results" }, skeletons()),
      ),
    );
    picture?.addEventListener("error", () => picture.remove());
    scrollTo(0, 0);
  }

  #ask() {
    this.welcome = null;
    this.asking?.abort();
    this.asking = new AbortController();
    const isSameQuery = this.panel?.reference === this.question.query;
    if (isSameQuery) this.panel.show(this.question);
    else this.#layOut();
    const kept = keptAnswer(this.shown);
    this.#newGrid();
    if (kept) this.#showAnswer(kept);
    else this.#fetch(0, isSameQuery);
  }

  #layOut() {
    const reference = this.question.query;
    this.panel = new QueryPanel({
      question: this.question,
      known: this.known,
      name: sent.get(reference)?.path ?? t(reference.startsWith("up:") ? "search.uploaded" : "search.fromgallery"),
      onChange: (changed) => this.#change(changed),
      onForget: (id, liked) => this.#like({ id }, liked),
    });
    this.summary = h("div", { class: "summary" });
    this.holder = h("div", { class: "holder" });
    this.end = h("div", { class: "grid-end" });
    refill(this.main, h("div", { class: "asking" }, this.panel.element, h("section", { class: "results", "aria-labelledby": "results-title" }, this.summary, this.holder, this.end)));
    refill(this.holder, skeletons());
    refill(this.summary, h("h1", { id: "results-title" }, t("search.searching")));
    this.sentinel.disconnect();
    this.sentinel.observe(this.end);
  }

  #newGrid() {
    this.grid = new Grid({
      label: t("search.results"),
      hrefOf: (match) => addressOf({ ...this.question, open: match.id }),
      opinionOf: (match) => this.#opinionOf(match),
      actions: {
        open: (match) => this.opened.open(match),
        like: (match, liked) => this.#like(match, liked),
        searchWith: (match) => this.#searchWith(match),
      },
    });
  }

  #change(question) {
    this.isRefining = true;
    navigate(addressOf({ ...question, open: null }));
  }

  // The answer

  async #fetch(offset, keepsOld = false) {
    const { signal } = this.asking;
    const { question, shown } = this;
    const isFiltered = asksForProof(question);
    this.isFetching = true;
    this.holder.classList.toggle("is-busy", keepsOld);
    this.holder.setAttribute("aria-busy", "true");
    if (offset > 0) refill(this.end, h("p", { class: "waiting-line" }, t("search.more")));
    try {
      const parameters = pageParameters(question, { offset, k: PAGE, verify: isFiltered });
      const answer = await get("/search", parameters, { signal });
      this.isFetching = false;
      keepAnswer(shown, answer, offset);
      this.#showAnswer(keptAnswer(shown), offset);
      if (question.verify && !isFiltered && answer.matches.length) await this.#prove(offset, signal);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.isFetching = false;
      this.#fail(problem, offset);
    }
  }

  /** Ask for the proofs of a page that is shown already; they are put in as they come. */
  async #prove(offset, signal) {
    const { shown } = this;
    this.nProving = (this.nProving ?? 0) + 1;
    this.#showSummary();
    try {
      const answer = await get("/search", pageParameters(this.question, { offset, k: PAGE, verify: true }), { signal });
      const kept = keptAnswer(shown);
      this.grid.patch(answer.matches);
      if (kept) Object.assign(kept, { matches: [...this.grid.matches], isProven: true });
    } catch (problem) {
      // Without their proofs the matches are still an answer.
      if (problem.name === "AbortError") return;
    } finally {
      this.nProving -= 1;
    }
    this.#showSummary();
  }

  #showAnswer(answer, offset = 0) {
    this.answer = answer;
    this.holder.classList.remove("is-busy");
    this.holder.removeAttribute("aria-busy");
    if (answer.query_width_px) this.#noteQuery(answer);
    if (offset === 0) refill(this.holder, answer.matches.length ? this.grid.element : nothingFound(this.question));
    this.grid.append(answer.matches);
    refill(this.end, !answer.has_more && answer.matches.length > 0 && h("p", { class: "soft" }, t("search.all", { n: this.grid.matches.length })));
    this.#showSummary();
    if (offset === 0) announce(t("search.found", { n: answer.matches.length }));
    this.opened.follow();
    if (!this.isFetching && answer.isProven === undefined && this.question.verify && !asksForProof(this.question) && offset === 0 && answer.matches.length) {
      answer.isProven = false;
      this.#prove(0, this.asking.signal);
    }
    // The end may be in sight still: then the next page is wanted at once.
    requestAnimationFrame(() => this.end.getBoundingClientRect().top < innerHeight + 600 && this.#more());
  }

  #noteQuery({ query_width_px, query_height_px }) {
    const reference = this.question.query;
    if (this.query?.reference === reference) {
      this.panel.describe(this.query);
      return;
    }
    const size = { width_px: query_width_px, height_px: query_height_px };
    this.query = { reference, ...size, sent: { ...size, ...sent.get(reference) } };
    this.panel.describe(this.query);
    if (!reference.startsWith("id:")) return;
    get(`/pictures/${reference.slice(3)}`).then(
      (facts) => {
        if (this.query?.reference !== reference) return;
        this.query.facts = facts;
        this.panel?.describe(this.query);
      },
      () => {
        // The facts of the query are an ornament; the results say what matters.
      },
    );
  }

  #more() {
    if (!this.answer?.has_more || this.isFetching || !this.grid || this.answer !== keptAnswer(this.shown)) return;
    if (this.answer.n_asked <= LAST_OFFSET) this.#fetch(this.answer.n_asked);
  }

  #showSummary() {
    if (!this.grid || !this.answer) return;
    const { matches } = this.grid;
    const words = summaryOf(this.question, {
      matches,
      promise: this.answer.promise,
      isProving: this.nProving > 0,
      onRelation: (relation) => this.#change({ ...this.question, relation }),
      onChange: (changed) => this.#change(changed),
    });
    refill(this.summary, words);
  }

  #fail(problem, offset = 0) {
    if (!this.holder) return;
    this.holder.classList.remove("is-busy");
    this.holder.removeAttribute("aria-busy");
    const box = problemBox(problem, () => this.#fetch(offset));
    if (offset > 0) refill(this.end, box);
    else {
      refill(this.holder, box);
      refill(this.summary, h("h1", { id: "results-title" }, t("search.failed")), conditionChips(this.question, (changed) => this.#change(changed)));
    }
    announce(problem.message);
  }

  #scrollBack() {
    const top = history.state?.scroll ?? 0;
    requestAnimationFrame(() => scrollTo(0, top));
  }

  // Opinions

  #opinionOf(match) {
    if (this.question.liked.includes(match.id)) return true;
    return this.question.disliked.includes(match.id) ? false : null;
  }

  #like(match, liked) {
    const opinion = this.#opinionOf(match) === liked ? null : liked;
    const others = (ids) => ids.filter((id) => id !== match.id);
    const question = { ...this.question, liked: others(this.question.liked), disliked: others(this.question.disliked) };
    if (opinion !== null) question[opinion ? "liked" : "disliked"].push(match.id);
    post("/feedback", { query: question.query, picture: match.id, liked: opinion }, { isRepeatable: true }).catch((problem) => announce(problem.message));
    announce(t(opinion === null ? "search.forgotten" : "search.noted"));
    this.isRefining = true;
    if (this.opened.isOpen) {
      this.question = question;
      this.likedInViewer = true;
      this.opened.showOpinions();
      navigate(addressOf(question), { replace: true, state: history.state });
    } else navigate(addressOf({ ...question, open: null }));
  }

  #searchWith(match) {
    navigate(addressOf({ ...emptyQuestion(), by: this.question.by, verify: this.question.verify, query: `id:${match.id}` }));
  }

  #keys() {
    const onFocused = (act) => () => {
      const match = this.grid?.focused;
      if (match) act(match);
    };
    return [
      { key: "ArrowDown", shown: ["←", "↑", "↓", "→"], words: "search.keymove", run: () => this.grid?.matches.length && this.grid.focus(this.grid.focused ?? this.grid.matches[0]) },
      { key: "Enter", words: "search.keyopen", run: () => {} },
      { key: "l", words: "like", run: onFocused((match) => this.#like(match, true)) },
      { key: "u", words: "dislike", run: onFocused((match) => this.#like(match, false)) },
      { key: "m", words: "searchwith", run: onFocused((match) => this.#searchWith(match)) },
      { key: "b", words: "part.start", run: () => this.panel?.picker.start() },
      { key: "c", words: "intake.choose", run: () => (document.getElementById("chooser") ? document.getElementById("chooser").click() : navigate("/")) },
    ];
  }
}

/** Whether the proof decides what is shown: then it cannot come later. */
function asksForProof({ verify, relation, precision }) {
  return verify && (relation !== "" || precision !== "");
}
