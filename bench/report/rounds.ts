import type { Values } from "./measurement.ts";
import type { MetricName } from "./metrics.ts";

/** The one in the middle; the lower of two. NaN of nothing. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
}

const SUMS: readonly MetricName[] = ["operations", "errors"];
const LARGEST: readonly MetricName[] = ["maxMs", "loopMs"];
/** What was counted over all operations of a round. */
const MEANS: readonly MetricName[] = ["cpuMs", "generatorMs"];

/** The same measurement in several rounds, as one. */
export function combineRounds(rounds: readonly Values[]): Values {
  const names = new Set(rounds.flatMap(Object.keys)) as Set<MetricName>;
  const entries = [...names].map((name) => [name, combine(name, rounds)]);
  return Object.fromEntries(entries) as Values;
}

function combine(name: MetricName, rounds: readonly Values[]): number {
  const numbers = listOf(name, rounds);
  const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
  if (SUMS.includes(name)) return sum(numbers);
  if (LARGEST.includes(name)) return Math.max(...numbers);
  if (!MEANS.includes(name)) return median(numbers);
  const operations = listOf("operations", rounds);
  return (
    sum(numbers.map((value, i) => value * (operations[i] ?? 1))) /
    sum(numbers.map((_, i) => operations[i] ?? 1))
  );
}

const listOf = (name: MetricName, rounds: readonly Values[]): number[] =>
  rounds.flatMap((values) => values[name] ?? []);

const RATIOS = {
  rateRatio: "perSecond",
  p50Ratio: "p50Ms",
  p99Ratio: "p99Ms",
} as const satisfies Partial<Record<MetricName, MetricName>>;

/**
 * One side for each of the other: the median of the ratios of rounds. CPU is
 * too coarse in one round, so that it is all rounds' against all rounds'.
 */
export function ratiosOf(
  base: readonly Values[],
  other: readonly Values[],
): Values {
  const values: Values = {};
  for (const [ratio, metric] of Object.entries(RATIOS) as [
    keyof typeof RATIOS,
    MetricName,
  ][]) {
    const ratios = base
      .map((one, i) => (other[i]?.[metric] ?? NaN) / (one[metric] ?? NaN))
      .filter(Number.isFinite);
    if (ratios.length > 0) values[ratio] = median(ratios);
  }
  const cpuRatio =
    (combineRounds(other).cpuMs ?? NaN) / (combineRounds(base).cpuMs ?? NaN);
  if (Number.isFinite(cpuRatio)) values.cpuRatio = cpuRatio;
  return values;
}
