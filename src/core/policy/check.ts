import type { PolicyDocument } from "./document.ts";
import { conditionsFor } from "./walk.ts";
import { isTimeZone } from "./time-window.ts";

const MOST_CONDITIONS = 500;
const MOST_LEVELS = 12;

/**
 * What is wrong with a document that has the right form; undefined where nothing is.
 * @param isNetwork whether a text names a network
 */
export function findPolicyFault(
  document: PolicyDocument,
  isNetwork: (text: string) => boolean,
): string | undefined {
  const names = document.rules.map(({ name }) => name);
  if (new Set(names).size < names.length)
    return "Two rules have the same name.";
  if (document.rules.some(({ when }) => when && levelsOf(when) > MOST_LEVELS))
    return `Conditions have at most ${MOST_LEVELS} levels.`;
  let count = 0;
  for (const condition of conditionsFor(document)) {
    count += 1;
    if (count > MOST_CONDITIONS)
      return `A policy has at most ${MOST_CONDITIONS} conditions.`;
    if ("cidr" in condition && !condition.cidr.every(isNetwork))
      return "A network is an address, or one with the length of its prefix.";
    if ("time" in condition && !isTimeZone(condition.time.zone))
      return "There is no such time zone.";
  }
  return undefined;
}

function levelsOf(condition: object): number {
  const inner = Object.values(condition).flat() as unknown[];
  const parts = inner.filter(
    (part): part is object => typeof part === "object" && part !== null,
  );
  return 1 + parts.reduce((most, part) => Math.max(most, levelsOf(part)), 0);
}
