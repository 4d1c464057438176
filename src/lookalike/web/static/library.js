/** The library page: what is indexed and from where, what failed, and whether all is well. */

import { get } from "./api.js";
import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { JobPanel } from "./jobs.js";
import { problemBox } from "./problem_box.js";
import { addressOf, emptyQuestion } from "./question.js";
import { bytes, day, number, percent, said, showPath, t } from "./words.js";

const FAILURES = 50;

/** Show the library page in an element; returns what the shell calls. */
export function mountLibrary(main) {
  const page = new LibraryPage(main);
  page.load();
  return page;
}

class LibraryPage {
  constructor(main) {
    this.main = main;
    this.job = new JobPanel({ kind: "index", onEnd: (job) => this.#ended(job), onState: (runs) => main.classList.toggle("runs", runs) });
    this.facts = h("section", { class: "library-facts", "aria-labelledby": "library-title" });
    this.add = h("section", { class: "panel add-panel", "aria-labelledby": "add-title" });
    this.folders = h("section", { class: "panel", "aria-labelledby": "folders-title" });
    this.failures = h("section", { class: "panel failures", "aria-labelledby": "failures-title" });
    this.health = h("section", { class: "panel health", "aria-labelledby": "health-title" });
    refill(
      main,
      h("div", { class: "library" }, h("h1", { id: "library-title" }, t("library.title")), this.job.element, this.facts, this.add, this.folders, this.failures, this.health),
    );
    this.job.attach().catch((problem) => refill(this.job.element, problemBox(problem)));
  }

  /** The address of this page says nothing more. */
  update() {}

  /** Leave the page. */
  unmount() {
    this.main.classList.remove("runs");
    this.job.release();
    this.isLeft = true;
  }

  /** Fetch what there is to say, and say it. */
  async load() {
    if (!this.facts.hasChildNodes()) refill(this.facts, h("div", { class: "tiles tiles-waiting", "aria-hidden": "true" }, Array.from({ length: 6 }, () => h("div", { class: "tile" }))));
    try {
      const info = await get("/info");
      if (this.isLeft) return;
      this.#showFacts(info);
      this.#showAdd(info);
      this.#showFolders(info);
      this.#showHealth(info);
      await this.#showFailures(0);
    } catch (problem) {
      if (!this.isLeft) refill(this.facts, problemBox(problem, () => this.load()));
    }
  }

  /** The run is over: what was typed stays where a part of it could not be read. */
  #ended(job) {
    const isWhole = job?.state === "done" && !job.report?.failed?.length;
    if (isWhole && this.paths) this.paths.value = "";
    this.load();
  }

  #showFacts(info) {
    const tile = (words, value, more = null) => h("div", { class: "tile" }, h("dt", {}, t(words)), h("dd", {}, value, more && h("small", {}, more)));
    const formats = Object.entries(info.formats ?? {}).sort(([, one], [, two]) => two - one);
    refill(
      this.facts,
      h(
        "dl",
        { class: "tiles" },
        tile("library.pictures", number(info.n_files), t("library.contents", { n: info.n_contents })),
        tile("library.formats", formats.length ? formats.slice(0, 3).map(([name]) => name.toUpperCase()).join(", ") : "–", formats.map(([name, n]) => `${name.toUpperCase()} ${number(n)}`).join(" · ")),
        tile("library.disk", bytes((info.store_bytes ?? 0) + (info.cache_bytes ?? 0)), t("library.cache", { size: bytes(info.cache_bytes ?? 0) })),
        tile("library.model", modelWords(info.model), info.version && `lookalike ${info.version}`),
        tile("library.calibration", t(info.calibration?.origin === "gallery" ? "library.calibrated" : "library.uncalibrated"), calibrationWords(info.calibration)),
        tile("library.folder", h("span", { class: "path" }, showPath(info.folder ?? ""))),
      ),
    );
  }

  #showAdd(info) {
    if (info.read_only) {
      refill(this.add, h("h2", { id: "add-title" }, t("library.add")), h("p", { class: "soft" }, t("library.readonly")));
      return;
    }
    if (this.paths) return; // what is being typed stays
    const paths = h("textarea", { id: "paths", rows: 2, required: true, spellcheck: "false", placeholder: "/home/me/Pictures" });
    const hashes = h("input", { type: "checkbox" });
    this.paths = paths;
    const submit = (event) => {
      event.preventDefault();
      this.#index(paths.value.split("\n").map(pathOf).filter(Boolean), hashes.checked ? "hashes" : "all");
    };
    refill(
      this.add,
      h("h2", { id: "add-title" }, t("library.add")),
      h(
        "form",
        { class: "run-fields", on: { submit } },
        h("label", { class: "field", for: "paths" }, h("span", {}, t("library.paths")), paths, h("small", {}, t("library.pathshint"))),
        h("label", { class: "check" }, hashes, t("library.hashes")),
        h("button", { class: "button strong" }, icon("plus"), t("library.start")),
      ),
    );
  }

  #index(paths, only = "all") {
    if (paths.length) this.job.start({ paths, only });
  }

  /** The folders that were named, each walked again as it was named; without any, where the files lie. */
  #showFolders(info) {
    const roots = info.roots ?? [];
    const rows = roots.length ? roots : (info.folders ?? []);
    const again = ({ path, ...how }) => h("button", { type: "button", class: "button small", on: { click: () => this.job.start({ paths: [path], ...how }) } }, icon("again"), t("library.again"));
    refill(
      this.folders,
      h("h2", { id: "folders-title" }, t("library.folders")),
      rows.length === 0 && h("p", { class: "soft" }, t("library.nofolders")),
      h(
        "ul",
        { class: "folder-rows" },
        rows.map((folder) =>
          h(
            "li",
            {},
            icon("library"),
            h("span", { class: "path" }, showPath(folder.path)),
            info.away?.includes(folder.path) && h("span", { class: "away" }, icon("warning"), t("library.away")),
            h("span", { class: "soft" }, folder.n_files === undefined ? this.#countIn(folder.path) : t("library.infolder", { n: folder.n_files })),
            roots.length > 0 && !info.read_only && again(folder),
          ),
        ),
      ),
    );
  }

  /** Return a place for the number of pictures in a folder, which is filled once it is known. */
  #countIn(folder) {
    const place = h("span", {});
    get("/pictures", new URLSearchParams({ folder, limit: 1 })).then(
      ({ total }) => refill(place, t("library.infolder", { n: total })),
      () => {
        // How many there are is an ornament; the folder is what counts.
      },
    );
    return place;
  }

  async #showFailures(offset) {
    const { failures, total } = await get("/failures", new URLSearchParams({ offset, limit: FAILURES }));
    if (this.isLeft) return;
    const turn = (words, to, isOff) => h("button", { type: "button", class: "button small", disabled: isOff, on: { click: () => this.#showFailures(to) } }, t(words));
    refill(
      this.failures,
      h("h2", { id: "failures-title" }, t("library.failures", { n: total })),
      total === 0
        ? h("p", { class: "soft" }, t("library.nofailures"))
        : h(
            "div",
            { class: "table-frame", tabindex: "0", role: "region", "aria-labelledby": "failures-title" },
            h(
              "table",
              {},
              h("thead", {}, h("tr", {}, ["library.path", "library.stage", "library.reason"].map((words) => h("th", { scope: "col" }, t(words))))),
              h("tbody", {}, failures.map((failure) => h("tr", {}, h("td", { class: "path" }, showPath(failure.path)), h("td", {}, failure.stage), h("td", {}, said(failure.reason))))),
            ),
          ),
      total > FAILURES &&
        h("div", { class: "row" }, turn("library.before", offset - FAILURES, offset === 0), h("span", { class: "soft" }, t("library.range", { from: offset + 1, to: offset + failures.length, total })), turn("library.after", offset + FAILURES, offset + FAILURES >= total)),
    );
  }

  #showHealth(info) {
    const findings = [...(info.findings ?? [])].sort((one, two) => Number(two.is_broken ?? false) - Number(one.is_broken ?? false));
    const broken = findings.filter((finding) => finding.is_broken);
    refill(
      this.health,
      h("h2", { id: "health-title" }, t("library.health")),
      h("p", { class: broken.length ? "problem" : "well" }, icon(broken.length ? "warning" : "check"), t(broken.length ? "library.broken" : "library.well", { n: broken.length })),
      findings.length > 0 && h("details", { open: broken.length > 0 }, h("summary", {}, t("library.findings", { n: findings.length })), h("dl", { class: "findings" }, findings.map(findingRow))),
      info.settings?.length > 0 && h("details", {}, h("summary", {}, t("library.settings")), h("dl", { class: "findings" }, info.settings.map((one) => findingRow({ name: one.name, value: String(one.value ?? "–"), remedy: one.help })))),
      h("p", {}, h("a", { href: addressOf(emptyQuestion()), "data-inside": true }, t("library.tosearch"))),
    );
  }
}

/** Return the path that a line means: as it was typed, in quotes, or copied from a browser as an address. */
function pathOf(line) {
  const text = line.trim().replace(/^(["'])(.*)\1$/, "$2");
  return text.startsWith("file://") ? decodeURIComponent(new URL(text).pathname) : text;
}

function findingRow({ name, value, remedy, is_broken: isBroken }) {
  return h("div", { class: isBroken ? "finding is-broken" : "finding" }, h("dt", {}, name), h("dd", {}, showPath(String(value)), remedy && h("small", {}, remedy)));
}

function modelWords(model) {
  if (!model) return "–";
  return typeof model === "string" ? model : (model.name ?? "–");
}

function calibrationWords(calibration) {
  const found = Object.entries(calibration?.ways?.auto ?? {}).sort()[0];
  const parts = found ? [t("library.recall", { precision: percent(Number(found[0]), 1), share: percent(found[1]) })] : [];
  if (calibration?.origin === "gallery") parts.push(calibration.stale ? said(calibration.stale) : day(calibration.made_at));
  else parts.push(t("library.calibratehow"));
  return parts.join(". ");
}
