/** What a person decided about the groups of one duplicates report; remembered on this device. */

import { recall, remember } from "./dom.js";

const NAME = "decisions";

/**
 * The decisions about one report.
 *
 * By the number of the group: `state` is `accepted`, `apart` (none of them is a duplicate) or `done`;
 * `keeper` the path that stays; `apart` the paths that were said not to be duplicates; `gone` those that a
 * plan has put away.
 */
export class Decisions {
  constructor(reportId) {
    const kept = JSON.parse(recall(NAME) ?? "null");
    this.reportId = reportId;
    this.groups = kept?.reportId === reportId ? kept.groups : {};
  }

  /** Return the decision about a group; the server's suggestion where there is none yet. */
  of(group) {
    return { state: null, keeper: group.keeper.path, apart: [], ...this.groups[group.number] };
  }

  /** Decide something about a group. */
  set(group, changes) {
    this.groups[group.number] = { ...this.of(group), ...changes };
    this.#keep();
  }

  /** Take note that files were put away. */
  setGone(group, paths) {
    const gone = this.removalsOf(group).map((picture) => picture.path).filter((path) => paths.includes(path));
    if (gone.length) this.set(group, { state: "done", gone });
  }

  /** Take note that files are back: their groups are undecided again, so that no plan stands ready to repeat it. */
  setBack(paths) {
    for (const decision of Object.values(this.groups)) {
      if (decision.state === "done" && decision.gone?.some((path) => paths.includes(path))) Object.assign(decision, { state: null, gone: [] });
    }
    this.#keep();
  }

  #keep() {
    remember(NAME, JSON.stringify({ reportId: this.reportId, groups: this.groups }));
  }

  /** Return all pictures of a group, in the order of their keys 1, 2, 3...; the suggested keeper is first. */
  static picturesOf(group) {
    return [group.keeper, ...group.members];
  }

  /** Return the picture that is to stay. */
  keeperOf(group) {
    const { keeper } = this.of(group);
    return Decisions.picturesOf(group).find((picture) => picture.path === keeper) ?? group.keeper;
  }

  /**
   * Return the pictures of a group that would go.
   *
   * With the suggested keeper, those that the server proved to be covered by it. With another, the same ones
   * and the former keeper: the server proves them anew when it makes the plan, and leaves out what it cannot.
   */
  removalsOf(group) {
    const { apart } = this.of(group);
    const keeper = this.keeperOf(group);
    return Decisions.picturesOf(group).filter(
      (picture) => picture.path !== keeper.path && !apart.includes(picture.path) && (picture.removable ?? true),
    );
  }

  /** Return how many bytes a group would save. */
  savedOf(group) {
    return this.removalsOf(group).reduce((sum, picture) => sum + picture.size_bytes, 0);
  }

  /** Return the groups that are in a state. */
  inState(groups, state) {
    return groups.filter((group) => this.of(group).state === state);
  }

  /** Return a group as the server wants it in a plan. */
  forPlan(group) {
    const keeper = this.keeperOf(group);
    return {
      number: group.number,
      keeper: keeper.id,
      remove: this.removalsOf(group).map(({ id, path }) => ({ id, path })),
    };
  }
}

const ORDERS = {
  suggested: null,
  pixels: (p) => p.width_px * p.height_px,
  quality: (p) => p.size_bytes,
  oldest: (p) => -new Date(p.date).getTime(),
  newest: (p) => new Date(p.date).getTime(),
  path: (p) => -p.path.length,
};

/** The rules by which a keeper can be chosen for many groups at once. */
export const RULES = [...Object.keys(ORDERS), "folder"];

/** Return the picture that a rule keeps; `folder` is where it must lie for the rule of that name. */
export function keeperBy(rule, group, folder = "") {
  if (rule === "suggested") return group.keeper;
  const pictures = Decisions.picturesOf(group);
  if (rule === "folder") {
    const root = `${folder.replace(/\/+$/, "")}/`;
    return pictures.find((picture) => picture.path.startsWith(root)) ?? null;
  }
  const worth = ORDERS[rule];
  return pictures.reduce((best, picture) => (worth(picture) > worth(best) ? picture : best));
}
