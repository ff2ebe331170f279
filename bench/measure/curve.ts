import type { Bench } from "../bench.ts";
import { combineRounds, ratiosOf } from "../report/rounds.ts";
import { measureInTurns, type Side } from "./in-turns.ts";

export interface Point {
  readonly size: number;
  readonly measure: Side;
}

export interface Curve {
  readonly scenario: string;
  /** What is done, and what it is done in. */
  readonly title: string;
  readonly points: readonly Point[];
  readonly rounds?: number;
}

/** The same work at several sizes in turns, and the largest against the smallest. */
export async function measureCurve(bench: Bench, curve: Curve): Promise<void> {
  const { scenario, title, points } = curve;
  const found = await measureInTurns(
    curve.rounds ?? bench.options.rounds,
    points.map(({ measure }) => measure),
  );
  for (const [i, { size }] of points.entries()) {
    const values = combineRounds(found[i]!);
    bench.report({ scenario, title: `${title}: ${size}`, values });
  }
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || first === last) return;
  bench.report({
    scenario,
    title: `${title}: ${last.size} against ${first.size}`,
    values: ratiosOf(found[0]!, found.at(-1)!),
  });
}
