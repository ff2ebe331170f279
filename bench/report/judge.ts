import { BARS, type Bar } from "./bars.ts";
import type { Limit, SuiteReport } from "./readings.ts";
import { formatNumber, renderTable } from "./table.ts";

/** "met" and "missed" are said of the size that the bar is for alone, "told" where there is no bar. */
export type Outcome =
  "met" | "missed" | "told" | "not this size" | "not measured";

export interface Judgement {
  readonly figure: string;
  readonly bar: string;
  readonly measured: string;
  readonly outcome: Outcome;
}

export function judgeBar(suite: SuiteReport, bar: Bar): Judgement {
  const readings = bar.limits.map((limit) => ({
    limit,
    reading: limit.read(suite),
  }));
  const { figure } = bar;
  const instead = [
    ...new Set(readings.flatMap(({ reading }) => reading?.instead ?? [])),
  ];
  const measured = [
    readings
      .map(({ limit, reading }) => format(limit, reading?.value))
      .join(" / "),
    ...instead.map((title) => `(${title})`),
  ].join(" ");
  const judge = (): Outcome => {
    if (readings.every(({ reading }) => reading === undefined))
      return "not measured";
    if (instead.length > 0) return "not this size";
    if (!bar.limits.some(isBar)) return "told";
    const isMet = readings.every(
      ({ limit, reading }) => reading && isWithin(limit, reading.value),
    );
    return isMet ? "met" : "missed";
  };
  const outcome = judge();
  return {
    figure,
    bar: bar.bar,
    measured: outcome === "not measured" ? "" : measured,
    outcome,
  };
}

const format = ({ scale = 1, unit }: Limit, value: number | undefined) =>
  value === undefined ? "–" : `${formatNumber(value * scale)}${unit}`;

const isBar = ({ atLeast, atMost }: Limit): boolean =>
  atLeast !== undefined || atMost !== undefined;

const isWithin = (
  { atLeast = -Infinity, atMost = Infinity }: Limit,
  value: number,
): boolean => value >= atLeast && value <= atMost;

export const judgeAll = (suite: SuiteReport): Judgement[] =>
  BARS.map((bar) => judgeBar(suite, bar));

/** The table of bars: its head, and a row for each. */
export const BARS_HEAD = ["figure", "bar", "measured", ""];

export const barRows = (suite: SuiteReport): string[][] =>
  judgeAll(suite).map(({ figure, bar, measured, outcome }) => [
    figure,
    bar,
    measured,
    outcome,
  ]);

export const renderBars = (suite: SuiteReport): string =>
  renderTable(BARS_HEAD, barRows(suite));
