/** The words of the page in the person's language, and numbers, sizes, dates and paths as people read them. */

import { recall, remember } from "./dom.js";
import { en } from "./words/en.js";
import { zh } from "./words/zh.js";

const LANGUAGES = { en, zh };
const LOCALES = { en: "en", zh: "zh-CN" };

let language = "en";

/** Choose the language: the remembered one, else the browser's first that is known. */
export function chooseLanguage() {
  const wanted = [recall("language"), ...navigator.languages.map((tag) => tag.toLowerCase().split("-")[0])];
  useLanguage(wanted.find((tag) => tag in LANGUAGES) ?? "en");
}

/** Switch to a language and remember it. */
export function switchLanguage(tag) {
  remember("language", tag);
  useLanguage(tag);
}

function useLanguage(tag) {
  language = tag;
  document.documentElement.lang = LOCALES[tag];
}

/** Return the language in use: `en` or `zh`. */
export function languageInUse() {
  return language;
}

/** Return the words of a key; functions among the words get `values`. */
export function t(key, values = {}) {
  const words = LANGUAGES[language].words[key];
  if (words === undefined) throw new Error(`there are no words for ${key} in ${language}`);
  return typeof words === "function" ? words(values, number) : words;
}

/** Return the words of a job's stage; a stage that the page does not know yet is called as the server calls it. */
export function stageWords(stage) {
  const key = `job.stage.${stage}`;
  return key in LANGUAGES[language].words ? t(key) : said(stage);
}

/** Return a sentence of the server in the person's language, as far as its phrases are known. */
export function said(sentence) {
  let text = showPath(String(sentence ?? ""));
  for (const [phrase, replacement] of LANGUAGES[language].phrases) text = text.replace(phrase, replacement);
  return text;
}

/** Return a number with its thousands set apart. */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: digits }).format(value);
}

/** Return a share of one in per cent. */
export function percent(share, digits = 0) {
  const format = new Intl.NumberFormat(LOCALES[language], { style: "percent", maximumFractionDigits: digits });
  return format.format(share);
}

/** Return a size of a file: kB of 1000 bytes, as file managers show it. */
export function bytes(value) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  let power = 0;
  let amount = value;
  while (amount >= 999.5 && power < units.length - 1) {
    amount /= 1000;
    power += 1;
  }
  return new Intl.NumberFormat(LOCALES[language], {
    style: "unit",
    unit: units[power],
    unitDisplay: power === 0 ? "long" : "short",
    maximumFractionDigits: amount < 10 && power > 0 ? 1 : 0,
  }).format(amount);
}

/** Return a date of the server, `YYYY-MM-DDTHH:MM:SS` of no stated zone, as a day or with its time. */
export function day(text, { withTime = false } = {}) {
  const date = new Date(text);
  if (!text || Number.isNaN(date.getTime())) return text || t("unknown");
  const style = withTime ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium" };
  return new Intl.DateTimeFormat(LOCALES[language], style).format(date);
}

/** Return a span of time in the two largest units that say something. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    ["hour", Math.floor(whole / 3600)],
    ["minute", Math.floor(whole / 60) % 60],
    ["second", whole % 60],
  ];
  const first = Math.max(0, parts.findIndex(([, value]) => value > 0));
  const shown = whole === 0 ? parts.slice(2) : parts.slice(first, first + 2).filter(([, value]) => value > 0);
  return shown
    .map(([unit, value]) =>
      new Intl.NumberFormat(LOCALES[language], { style: "unit", unit, unitDisplay: "short" }).format(value),
    )
    .join(" ");
}

/** Return a path so that every byte of it shows: those that are no text as `\xE9`. */
export function showPath(path) {
  return path.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (unit) =>
    unit.length === 2 ? unit : `\\x${(unit.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** Return the last part of a path, readable. */
export function fileName(path) {
  const parts = showPath(path).split(/[/\\](?!x[0-9A-F]{2})/);
  return parts[parts.length - 1] || showPath(path);
}
