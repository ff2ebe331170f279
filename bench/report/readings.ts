import type { Measurement } from "./measurement.ts";
import type { MetricName } from "./metrics.ts";
import type { Report } from "./report.ts";

/** The reports of a suite, by the names of its parts. */
export type SuiteReport = Readonly<Record<string, Report>>;

export interface Reading {
  readonly value: number;
  /** The line that was read where there is none of the size that the bar is for. */
  readonly instead?: string;
}

export type Read = (suite: SuiteReport) => Reading | undefined;

export interface Limit {
  readonly read: Read;
  readonly unit: string;
  readonly scale?: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A figure of a line; of another size of it where this one was not measured. */
export function figure(part: string, title: string, metric: MetricName): Read {
  return (suite) => {
    const lines = suite[part]?.measurements ?? [];
    const { line, isExact } = findLine(lines, title);
    const value = line?.values[metric];
    if (line === undefined || value === undefined) return undefined;
    return { value, ...(!isExact && { instead: line.title }) };
  };
}

const withoutSizes = (title: string) =>
  title.replaceAll(/\d+/g, "0").replaceAll(/\b(sender|room)s\b/g, "$1");

function findLine(lines: readonly Measurement[], title: string) {
  const exact = lines.find((one) => one.title === title);
  if (exact !== undefined) return { line: exact, isExact: true };
  const like = lines.findLast(
    (one) => withoutSizes(one.title) === withoutSizes(title),
  );
  return { line: like, isExact: false };
}

/** What two figures make together. */
export const both =
  (a: Read, b: Read, combine: (a: number, b: number) => number): Read =>
  (suite) => {
    const [one, other] = [a(suite), b(suite)];
    if (one === undefined || other === undefined) return undefined;
    const instead = one.instead ?? other.instead;
    return {
      value: combine(one.value, other.value),
      ...(instead !== undefined && { instead }),
    };
  };

export const map =
  (read: Read, change: (value: number) => number): Read =>
  (suite) => {
    const reading = read(suite);
    return reading && { ...reading, value: change(reading.value) };
  };
