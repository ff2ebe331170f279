import { METRICS, type MetricName } from "./metrics.ts";

export type Values = Partial<Record<MetricName, number>>;

/** One line of a report. */
export interface Measurement {
  /** The scenario, "B1" and so on. */
  readonly scenario: string;
  /** What is compared with the line of the same title in another report. */
  readonly title: string;
  readonly values: Values;
  /** Why there are no values, or what to know of them. */
  readonly note?: string;
}

export const metricNames = Object.keys(METRICS) as MetricName[];
