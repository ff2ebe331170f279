import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import {
  listDifferences,
  weighConflict,
} from "../../spec/core/state/compare.ts";
import { play, scriptOf } from "../../spec/core/state/random-rooms.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";

const versionsTo = (last: number): string[] =>
  Array.from({ length: last - 1 }, (_, i) => String(i + 2));

export const dags: readonly ProofCase[] = [
  dagsOf("v1", ["1"], []),
  dagsOf("v2", versionsTo(11), ["knock", "restricted"]),
  dagsOf("v2.1", ["12"], ["knock", "restricted"]),
];

/** What must come about in one of so many rooms at least. */
const RARE = 400;
const KINDS = [
  ...["fork of a fork", "merge", "topic", "message", "redaction", "own"],
  ...["power", "demotion", "rule", "ban", "unban", "kick", "leave"],
  ...["join", "invite", "token", "third-party", "aliases"],
  ...["rejected", "not allowed, but taken", "old auth events"],
  ...["outdated", "partial", "missing event"],
];

function dagsOf(
  algorithm: string,
  versions: string[],
  more: string[],
): ProofCase {
  return {
    name: `dags-${algorithm}`,
    unit: "random room with forks and merges",
    fullUnits: 10_000,
    unitsPerRun: 2_500,
    run: (options) => compareRooms(versions, [...KINDS, ...more], options),
  };
}

async function compareRooms(
  versions: string[],
  kinds: string[],
  { seed, units }: RunOptions,
): Promise<Outcome> {
  const counts = { rooms: 0, events: 0, resolutions: 0, conflicts: 0 };
  const lastWrong = { resolutions: 0, rooms: 0 };
  const roomsWith = new Map<string, number>();
  const isEqual = fc.asyncProperty(scriptOf(versions), async (script) => {
    const played = play(script);
    const differences = listDifferences(played);
    if (differences.length > 0) throw new Error(differences.join("\n"));
    const weighed = played.resolved.map(weighConflict);
    const wrong = weighed.filter(({ isLastWrong }) => isLastWrong).length;
    counts.rooms += 1;
    counts.events += played.judged.length;
    counts.resolutions += weighed.length;
    counts.conflicts += weighed.filter((one) => one.isConflict).length;
    lastWrong.resolutions += wrong;
    lastWrong.rooms += wrong > 0 ? 1 : 0;
    for (const mark of played.marks)
      roomsWith.set(mark, (roomsWith.get(mark) ?? 0) + 1);
    await nextTurn();
  });
  const checked = await fc.check(isEqual, { seed, numRuns: units });
  const [difference] = checked.counterexample ?? [];
  const rare = kinds.filter(
    (kind) => (roomsWith.get(kind) ?? 0) * RARE < counts.rooms,
  );
  return {
    counts: {
      ...counts,
      "conflicts that the last writer would settle otherwise":
        lastWrong.resolutions,
      "rooms with such a conflict": lastWrong.rooms,
    },
    claims: {
      "the linear shortcut, full resolution and the slow reading agree":
        checked.failed
          ? [`${String(checked.errorInstance)}: ${JSON.stringify(difference)}`]
          : [],
      "half of the rooms have a conflict that the last writer would settle otherwise":
        lastWrong.rooms * 2 < counts.rooms ? [`${lastWrong.rooms}`] : [],
      "every kind of event and of claim came about": rare,
    },
  };
}
