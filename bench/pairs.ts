import type { Bench } from "./bench.ts";
import { measureInTurns } from "./measure/in-turns.ts";
import { measureLoad } from "./measure/measure-load.ts";
import type { Options } from "./options.ts";
import { combineRounds, ratiosOf } from "./report/rounds.ts";
import { nameLayout, spreadSenders } from "./scenarios/sends.ts";

/** Two servers that differ in one thing, and the sends that are made in turns on both. */
export interface Pair {
  readonly servers: readonly {
    readonly title: string;
    readonly options: Partial<Options>;
  }[];
  /** Over how many rooms the senders are spread. */
  readonly layouts: readonly number[];
}

export const PAIRS: ReadonlyMap<string, Pair> = new Map<string, Pair>([
  [
    "processes",
    {
      servers: [
        { title: "1 process", options: { processes: 1 } },
        { title: "2 processes", options: { processes: 2 } },
      ],
      layouts: [8, 1, 64],
    },
  ],
  [
    "sealing",
    {
      servers: [
        { title: "sealing off", options: { sealing: "off" } },
        { title: "sealing on", options: { sealing: "on" } },
      ],
      layouts: [8],
    },
  ],
  [
    "rate-limits",
    {
      servers: [
        { title: "rate limits off", options: { rateLimits: "off" } },
        { title: "rate limits on", options: { rateLimits: "on" } },
      ],
      layouts: [8],
    },
  ],
]);

/** Measures every layout on both servers, and holds each against the first of all. */
export async function measurePair(
  benches: readonly Bench[],
  { servers, layouts }: Pair,
): Promise<void> {
  const [report] = benches;
  const { senders, rounds } = report!.options;
  const workers = Math.max(...senders);
  const sides = [];
  for (const [i, bench] of benches.entries())
    for (const rooms of layouts) {
      const operation = await spreadSenders(bench, workers, rooms);
      const title = `${nameLayout(workers, rooms)}, ${servers[i]!.title}`;
      const measure = () => measureLoad(bench, { workers, operation });
      sides.push({ title, measure });
    }
  const found = await measureInTurns(
    rounds,
    sides.map(({ measure }) => measure),
  );
  const say = (title: string, values: ReturnType<typeof ratiosOf>) =>
    report!.report({ scenario: "B1", title, values });
  for (const [i, { title }] of sides.entries())
    say(title, combineRounds(found[i]!));
  for (const [i, { title }] of sides.entries())
    if (i > 0)
      say(
        `${title}, against ${sides[0]!.title}`,
        ratiosOf(found[0]!, found[i]!),
      );
}
