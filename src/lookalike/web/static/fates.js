/** What happens to each picture of a group, above the facts by which they differ. */

import { thumbnailAddress } from "./api.js";
import { Decisions } from "./decisions.js";
import { h } from "./dom.js";
import { factsTable } from "./facts.js";
import { relationLabel } from "./grid.js";
import { fileName, number, percent, said, t } from "./words.js";

/** Return the pictures of a group beside each other; `onChoose` and `onKeep` take the place of one, from 0. */
export function fatesTable(group, decisions, { chosen, onChoose, onKeep }) {
  const pictures = Decisions.picturesOf(group);
  const decided = { decision: decisions.of(group), keeper: decisions.keeperOf(group), removals: decisions.removalsOf(group) };
  const isSuggested = decided.keeper === group.keeper;
  const isDone = decided.decision.state === "done";
  const heads = pictures.map((picture, place) => {
    const fate = fateOf(picture, decided, isSuggested);
    return h(
      "div",
      { class: `fact-head fate-${fate.kind}` },
      h(
        "button",
        { type: "button", class: "fact-picture", "aria-pressed": String(place === chosen), "aria-label": t("review.choose", { number: place + 1, name: fileName(picture.path) }), on: { click: () => onChoose(place) } },
        h("img", { src: thumbnailAddress(picture.id, 256), alt: "" }),
        h("kbd", {}, String(place + 1)),
      ),
      h("span", { class: "fate" }, fate.words),
      isSuggested && picture.relation ? h("span", { class: "fact-relation" }, relationLabel(picture.relation)) : null,
      isSuggested && picture.proof ? h("span", { class: "fact-proof" }, proofWords(picture)) : null,
      h("button", { type: "button", class: "button small", disabled: isDone || picture === decided.keeper, on: { click: () => onKeep(place) } }, t("review.keepthis")),
    );
  });
  return factsTable(pictures, heads, { caption: t("review.facts") });
}

function fateOf(picture, { decision, keeper, removals }, isSuggested) {
  if (picture === keeper) return { kind: "keep", words: t("fate.keep") };
  if (decision.apart.includes(picture.path)) return { kind: "apart", words: t("fate.apart") };
  if (removals.includes(picture)) return { kind: "go", words: t(decision.state === "done" ? "fate.gone" : isSuggested ? "fate.go" : "fate.maybe") };
  return { kind: "stay", words: t("fate.stay", { why: said(picture.note ?? "") }) };
}

function proofWords({ proof, relation, score }) {
  if (relation === "same_file" || relation === "same_pixels") return t(`proof.${relation}`);
  const parts = [proof.transform && said(proof.transform), proof.inliers && t("proof.points", { n: number(proof.inliers) }), t("proof.agreement", { share: percent(score) })];
  return parts.filter(Boolean).join(" · ");
}
