/** The shell: header, language, theme, notices, and which page the address names. */

import { connection, signIn, tryNow } from "./api.js";
import { announce, h, recall, refill, remember } from "./dom.js";
import { mountDuplicates } from "./duplicates.js";
import { icon } from "./icons.js";
import { listen } from "./keys.js";
import { showKeys } from "./keys_sheet.js";
import { mountLibrary } from "./library.js";
import { navigate, onNavigate } from "./router.js";
import { mountSearch } from "./search.js";
import { chooseLanguage, languageInUse, switchLanguage, t } from "./words.js";

const PAGES = {
  "/": { mount: mountSearch, words: "nav.search", icon: "search" },
  "/duplicates": { mount: mountDuplicates, words: "nav.duplicates", icon: "copies" },
  "/library": { mount: mountLibrary, words: "nav.library", icon: "library" },
};
const THEMES = { system: "system", light: "sun", dark: "moon" };

const main = document.getElementById("main");
let current = null;
let releaseKeys = () => {};

function pathOf() {
  return location.pathname in PAGES ? location.pathname : "/";
}

function showPage(cause) {
  const path = pathOf();
  if (current?.path === path) {
    current.page.update(cause);
    return;
  }
  current?.page.unmount();
  refill(main);
  current = { path, page: PAGES[path].mount(main) };
  document.title = path === "/" ? "lookalike" : `${t(PAGES[path].words)} · lookalike`;
  showHeader();
  if (cause === "link") {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  announce(t(PAGES[path].words));
}

// Header

function showHeader() {
  refill(
    document.getElementById("header"),
    h("a", { class: "skip", href: "#main", on: { click: skipToMain } }, t("skip")),
    h("a", { class: "brand", href: "/", "data-inside": true, "aria-label": t("brand") }, icon("mark"), h("span", {}, "lookalike")),
    h("nav", { "aria-label": t("nav") }, Object.entries(PAGES).map(linkOf)),
    h("div", { class: "header-tools" }, themeSwitch(), languageSwitch(), keysButton()),
  );
}

function skipToMain(event) {
  event.preventDefault();
  main.focus();
}

function linkOf([path, page]) {
  const isHere = path === current?.path;
  return h(
    "a",
    { href: path, "data-inside": true, class: "nav-link", "aria-current": isHere ? "page" : null },
    icon(page.icon),
    h("span", {}, t(page.words)),
  );
}

function themeSwitch() {
  const names = Object.keys(THEMES);
  const theme = names.includes(recall("theme")) ? recall("theme") : "system";
  const following = names[(names.indexOf(theme) + 1) % names.length];
  const words = t("theme", { now: t(`theme.${theme}`) });
  return h(
    "button",
    { class: "button quiet", type: "button", id: "theme", title: words, "aria-label": words, on: { click: () => useTheme(following) } },
    icon(THEMES[theme]),
  );
}

function useTheme(theme) {
  remember("theme", theme === "system" ? null : theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  showHeader();
  document.getElementById("theme").focus();
}

function languageSwitch() {
  const other = languageInUse() === "en" ? "zh" : "en";
  const names = { en: "English", zh: "中文" };
  return h(
    "button",
    { class: "button quiet", type: "button", id: "language", lang: other === "en" ? "en" : "zh-CN", on: { click: () => useLanguage(other) } },
    names[other],
  );
}

function useLanguage(tag) {
  switchLanguage(tag);
  releaseKeys();
  listenToKeys();
  const { path } = current;
  current.page.unmount();
  current = null;
  showPage("language");
  document.getElementById("language").focus();
  if (path !== current.path) throw new Error("the page changed with the language");
}

function keysButton() {
  return h(
    "button",
    { class: "button quiet keys-button", type: "button", title: t("keys.title"), "aria-label": t("keys.title"), on: { click: showKeys } },
    icon("keys"),
  );
}

function listenToKeys() {
  releaseKeys = listen(t("keys.everywhere"), [
    { key: "?", words: "keys.help", run: showKeys },
    { key: "/", words: "nav.search", run: () => navigate("/") },
  ]);
}

// Notices

const notice = document.getElementById("notice");

connection.addEventListener("away", ({ detail: seconds }) => {
  const words = h("p", {}, icon("warning"), t("away", { seconds }));
  refill(
    notice,
    h("div", { class: "notice", role: "alert" }, words, h("button", { class: "button", type: "button", on: { click: tryNow } }, t("away.now"))),
  );
});

connection.addEventListener("back", () => {
  refill(notice);
  announce(t("away.back"));
  for (const image of document.images) if (image.complete && image.naturalWidth === 0) fetchAgain(image);
});

function fetchAgain(image) {
  const { src } = image;
  image.removeAttribute("src");
  image.src = src;
}

connection.addEventListener("signin", ({ detail: done }) => {
  const field = h("input", { id: "token", type: "password", name: "token", autocomplete: "current-password", required: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const sheet = h(
    "dialog",
    { class: "sheet signin", "aria-labelledby": "signin-title" },
    h(
      "form",
      { on: { submit: (event) => enter(event, field, problem, sheet, done) } },
      icon("mark"),
      h("h2", { id: "signin-title" }, t("signin.title")),
      h("p", {}, t("signin.why")),
      h("label", { for: "token" }, t("signin.token")),
      field,
      problem,
      h("button", { class: "button strong" }, t("signin.enter")),
    ),
  );
  sheet.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(sheet);
  sheet.showModal();
});

async function enter(event, field, problem, sheet, done) {
  event.preventDefault();
  try {
    await signIn(field.value);
    sheet.close();
    sheet.remove();
    done();
  } catch (refusal) {
    problem.textContent = refusal.status === 401 || refusal.status === 403 ? t("signin.wrong") : refusal.message;
    field.select();
  }
}

chooseLanguage();
listenToKeys();
onNavigate(showPage);
showPage("start");
