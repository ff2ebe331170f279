import { metricNames, type Measurement } from "./measurement.ts";
import { METRICS, type MetricName } from "./metrics.ts";
import type { Report } from "./report.ts";
import { formatNumber, renderTable } from "./table.ts";

export interface Pair {
  readonly scenario: string;
  readonly title: string;
  readonly metric: MetricName;
  readonly a: number | undefined;
  readonly b: number | undefined;
}

/** B for each A; undefined where there is no such ratio. */
export const ratioOf = ({ a, b }: Pair): number | undefined =>
  a === undefined || b === undefined || a === 0 ? undefined : b / a;

const keyOf = ({ scenario, title }: Measurement) => `${scenario} ${title}`;

/** Every figure that either report holds, in the order of the first. */
export function pairUp(
  a: readonly Measurement[],
  b: readonly Measurement[],
  metrics: readonly MetricName[] = metricNames,
): Pair[] {
  const inA = new Map(a.map((one) => [keyOf(one), one]));
  const inB = new Map(b.map((one) => [keyOf(one), one]));
  const lines = new Map([...inB, ...inA]);
  const order = [...new Set([...inA.keys(), ...inB.keys()])];
  return order.flatMap((key) => {
    const { scenario, title } = lines.get(key)!;
    const valuesA = inA.get(key)?.values ?? {};
    const valuesB = inB.get(key)?.values ?? {};
    return metrics
      .filter((metric) => metric in valuesA || metric in valuesB)
      .map((metric) => ({
        scenario,
        title,
        metric,
        a: valuesA[metric],
        b: valuesB[metric],
      }));
  });
}

/** A change that is more than noise. */
const NOTABLE = 1.1;

/** "better" or "worse", where B differs notably from A. */
export function judgePair(pair: Pair): "better" | "worse" | "" {
  const ratio = ratioOf(pair);
  const { better } = METRICS[pair.metric];
  if (ratio === undefined || better === "neither") return "";
  if (ratio <= NOTABLE && ratio >= 1 / NOTABLE) return "";
  return ratio > 1 === (better === "more") ? "better" : "worse";
}

export function renderComparison(
  names: readonly [string, string],
  pairs: readonly Pair[],
): string {
  return renderTable(
    ["", "figure", ...names, "ratio", ""],
    pairs.map((pair) => [
      `${pair.scenario} ${pair.title}`,
      METRICS[pair.metric].label,
      formatNumber(pair.a),
      formatNumber(pair.b),
      formatNumber(ratioOf(pair)),
      judgePair(pair),
    ]),
  );
}

const serverOf = ({ settings }: Report) =>
  `${settings["server"] ?? "?"}, ${settings["processes"] ?? "?"} processes`;

export const describeBoth = (a: Report, b: Report): string =>
  `A: ${a.date}, ${serverOf(a)}\nB: ${b.date}, ${serverOf(b)}`;
