/** What a person decided about the groups of one duplicates report: kept by the server, the same in all tabs. */

import { get, post } from "./api.js";

const SENT_AT_ONCE = 500;

/**
 * The decisions about one report.
 *
 * By the number of the group: `state` is `accepted`, `apart` (none of them is a duplicate) or `done`;
 * `keeper` the path that stays; `apart` the paths that were said not to be duplicates. `totals` counts them over
 * the whole report. What is set shows at once and is sent behind; `onProblem` is told where the server refuses, and
 * `onForeign` when something was decided in another tab or on another device.
 */
export class Decisions {
  constructor(report, { onProblem, onForeign }) {
    this.onForeign = onForeign;
    this.reportId = report.report_id;
    this.totals = report.decided;
    this.onProblem = onProblem;
    this.groups = {};
    this.sending = Promise.resolve();
    this.take(report.groups);
  }

  /** Take in what was decided about groups that came from the server. */
  take(groups) {
    for (const { decision } of groups) if (decision) this.groups[decision.number] = decision;
  }

  /** Return the decision about a group; the server's suggestion where there is none yet. */
  of(group) {
    return { state: null, keeper: group.keeper.path, apart: [], ...this.groups[group.number] };
  }

  /** Decide something about a group. */
  set(group, changes) {
    return this.setAll([[group, changes]]);
  }

  /** Decide something about several groups, given as pairs of a group and what changes. */
  setAll(pairs) {
    const decided = pairs.map(([group, changes]) => {
      this.groups[group.number] = { ...this.of(group), ...changes };
      const { state, keeper, apart } = this.groups[group.number];
      return { number: group.number, state, keeper, apart };
    });
    this.sending = this.sending.then(() => this.#send(decided)).catch(this.onProblem);
    return this.sending;
  }

  async #send(decided) {
    for (let start = 0; start < decided.length; start += SENT_AT_ONCE) {
      const groups = decided.slice(start, start + SENT_AT_ONCE);
      const { revision } = this.totals;
      this.totals = await post("/decisions", { report_id: this.reportId, groups }, { isRepeatable: true });
      if (this.totals.revision !== revision + groups.length) {
        this.totals.revision = revision; // somebody decided elsewhere meanwhile
        await this.#fetch();
        this.onForeign();
      }
    }
  }

  /** Take in what was decided elsewhere. */
  async sync() {
    await this.sending;
    if (await this.#fetch()) this.onForeign();
  }

  async #fetch() {
    const { groups, ...totals } = await get("/decisions", new URLSearchParams({ report_id: this.reportId, since: this.totals.revision }));
    for (const decision of groups) this.groups[decision.number] = decision;
    this.totals = totals;
    return groups.length > 0;
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
