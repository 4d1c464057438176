/** The whole question of a search, in the address bar and as the server reads it. */

export const RELATIONS = ["same_file", "same_pixels", "copy", "variant", "same_scene", "similar"];
export const PRECISIONS = ["0.999", "0.99", "0.95"];

const TEXTS = ["folder", "since", "until", "relation", "precision", "min_side", "min_bytes", "max_bytes", "min_score"];

/** Return a question without any condition. */
export function emptyQuestion() {
  return {
    query: null,
    by: "auto",
    verify: true,
    box: null,
    formats: [],
    liked: [],
    disliked: [],
    open: null,
    ...Object.fromEntries(TEXTS.map((name) => [name, ""])),
  };
}

/** Read the question from the search part of an address; what makes no sense is left out. */
export function readQuestion(search) {
  const given = new URLSearchParams(search);
  const question = emptyQuestion();
  const query = given.get("query") ?? "";
  if (/^(up:[0-9a-f]{8,64}|id:\d+)$/.test(query)) question.query = query;
  question.by = given.get("by") || "auto";
  question.verify = given.get("verify") !== "false";
  question.box = readBox(given.get("box"));
  question.formats = given.getAll("format");
  question.liked = readIds(given.get("liked"));
  question.disliked = readIds(given.get("disliked"));
  question.open = readIds(given.get("open"))[0] ?? null;
  for (const name of TEXTS) question[name] = given.get(name) ?? "";
  return question;
}

function readBox(text) {
  const sides = (text ?? "").split(",").map(Number);
  const isBox = sides.length === 4 && sides.every((side) => side >= 0 && side <= 1) && sides[2] > 0 && sides[3] > 0;
  return isBox ? sides : null;
}

function readIds(text) {
  return (text ?? "").split(",").filter((part) => /^\d+$/.test(part)).map(Number);
}

/** Return the conditions and the way as parameters that both the address bar and the server read. */
function parametersOf(question) {
  const parameters = new URLSearchParams();
  if (question.query) parameters.set("query", question.query);
  if (question.by !== "auto") parameters.set("by", question.by);
  if (question.box) parameters.set("box", question.box.map((side) => Number(side.toFixed(4))).join(","));
  for (const name of TEXTS) if (question[name] !== "") parameters.set(name, question[name]);
  for (const format of question.formats) parameters.append("format", format);
  if (question.liked.length) parameters.set("liked", question.liked.join(","));
  if (question.disliked.length) parameters.set("disliked", question.disliked.join(","));
  return parameters;
}

/** Return the address of a question. */
export function addressOf(question) {
  const parameters = parametersOf(question);
  if (!question.verify) parameters.set("verify", "false");
  if (question.open !== null) parameters.set("open", question.open);
  const text = parameters.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text ? `/?${text}` : "/";
}

/** Return the parameters for one page of the answer. */
export function pageParameters(question, { offset, k, verify }) {
  const parameters = parametersOf(question);
  parameters.set("offset", offset);
  parameters.set("k", k);
  parameters.set("verify", verify);
  return parameters;
}

/** Return the names of the conditions that are in force. */
export function conditionsOf(question) {
  return [...TEXTS.filter((name) => question[name] !== ""), ...(question.formats.length ? ["formats"] : [])];
}

/** Return the same question without a condition, or without all of them. */
export function without(question, ...names) {
  const empty = emptyQuestion();
  return { ...question, ...Object.fromEntries(names.map((name) => [name, empty[name]])) };
}
