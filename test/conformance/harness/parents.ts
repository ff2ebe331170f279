import { keyOf, type RowName } from "./registry.ts";
import type { Verdict } from "./tables.ts";

const isBelow = (child: RowName, parent: RowName): boolean =>
  child.group === parent.group &&
  child.test === parent.test &&
  child.case !== parent.case &&
  (parent.case === "" || child.case.startsWith(`${parent.case}/`));

/** The rows that other rows stand under; they have no test of their own and pass when those pass. */
export const listParents = (behaviours: RowName[]): RowName[] =>
  behaviours.filter((row) => behaviours.some((other) => isBelow(other, row)));

/** Adds to the verdicts of tested rows those of the rows they stand under. */
export function withParents(
  behaviours: RowName[],
  tested: Map<string, Verdict>,
): Map<string, Verdict> {
  const verdicts = new Map(tested);
  for (const parent of listParents(behaviours)) {
    if (tested.has(keyOf(parent))) continue;
    const below = behaviours
      .filter((row) => isBelow(row, parent))
      .map((row) => tested.get(keyOf(row)))
      .filter((found) => found !== undefined);
    if (below.length === 0) continue;
    const isGood = below.every((found) => found === "pass");
    verdicts.set(keyOf(parent), isGood ? "pass" : "fail");
  }
  return verdicts;
}
