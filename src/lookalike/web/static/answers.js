/** Answers by question, so that going back shows them at once and where they were scrolled to. */

const KEPT_ANSWERS = 12;
const answers = new Map();

/** Return the answer to a question as far as it was fetched, if it is still kept. */
export function keptAnswer(key) {
  return answers.get(key);
}

/** Keep a page of an answer behind those before it; `n_asked` is where the next one starts. */
export function keepAnswer(key, answer, offset = 0) {
  const before = offset > 0 ? (answers.get(key)?.matches ?? []) : [];
  const n_asked = offset + answer.matches.length;
  answers.delete(key);
  answers.set(key, { ...answer, matches: [...before, ...answer.matches], n_asked });
  if (answers.size > KEPT_ANSWERS) answers.delete(answers.keys().next().value);
}
