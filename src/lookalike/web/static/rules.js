/** Deciding about many groups at once, by a rule. */

import { Decisions, keeperBy, RULES } from "./decisions.js";
import { announce, h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { openSheet } from "./sheet.js";
import { bytes, t } from "./words.js";

const LADDER = ["same_file", "same_pixels", "copy"];

/** A sheet that accepts all groups that a rule applies to. */
export class RuleSheet {
  constructor(groups, decisions, onChange) {
    Object.assign(this, { groups, decisions, onChange });
  }

  /** Show the sheet. */
  open() {
    this.count = h("p", { class: "rules-count", role: "status" });
    this.button = h("button", { class: "button strong" }, icon("check"), t("rules.accept"));
    const folder = h("label", { class: "field", hidden: true }, h("span", {}, t("rules.folder")), h("input", { name: "folder", spellcheck: "false" }));
    const closest = LADDER.find((name) => this.groups.some((group) => group.relation === name && this.decisions.of(group).state === null));
    const form = h(
      "form",
      {
        class: "run-fields",
        on: {
          input: () => {
            folder.hidden = form.elements.rule.value !== "folder";
            this.#showCount(form);
          },
          submit: (event) => this.#accept(event, form),
        },
      },
      h("label", { class: "field" }, h("span", {}, t("rules.relation")), h("select", { name: "relation" }, LADDER.map((name) => h("option", { value: name, selected: name === closest }, t("filter.orcloser", { relation: t(`relation.${name}`) }))))),
      h("label", { class: "field" }, h("span", {}, t("rules.keep")), h("select", { name: "rule" }, RULES.map((name) => h("option", { value: name }, t(`rules.${name}`))))),
      folder,
      this.count,
      h("div", { class: "row" }, this.button),
    );
    this.sheet = openSheet({ title: t("rules.title"), name: "rules", content: [h("p", { class: "soft" }, t("rules.why")), form] });
    this.#showCount(form);
  }

  /** Return the groups that the rule applies to, each with the picture that it keeps. */
  #chosen(form) {
    const { relation, rule, folder } = form.elements;
    const allowed = LADDER.slice(0, LADDER.indexOf(relation.value) + 1);
    return this.groups
      .filter((group) => this.decisions.of(group).state === null && allowed.includes(group.relation))
      .map((group) => ({ group, keeper: keeperBy(rule.value, group, folder.value.trim()) }))
      .filter(({ group, keeper }) => keeper !== null && Decisions.picturesOf(group).some((picture) => picture !== keeper && (picture.removable ?? true)));
  }

  #showCount(form) {
    const chosen = this.#chosen(form);
    const size = chosen.reduce((sum, { group }) => sum + group.saved_bytes, 0);
    refill(this.count, t("rules.count", { n: chosen.length, size: bytes(size) }));
    this.button.disabled = chosen.length === 0;
  }

  #accept(event, form) {
    event.preventDefault();
    const chosen = this.#chosen(form);
    this.decisions.setAll(chosen.map(({ group, keeper }) => [group, { state: "accepted", keeper: keeper.path }])).then(() => this.onChange());
    this.sheet.close();
    announce(t("rules.done", { n: chosen.length }));
  }
}
