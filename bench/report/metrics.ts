interface Metric {
  readonly label: string;
  readonly better: "more" | "less" | "neither";
}

/** Every figure that a report can hold, in the order of its columns. */
export const METRICS = {
  operations: { label: "ops", better: "neither" },
  errors: { label: "errors", better: "less" },
  perSecond: { label: "ops/s", better: "more" },
  megabytesPerSecond: { label: "MB/s", better: "more" },
  p50Ms: { label: "p50 ms", better: "less" },
  p99Ms: { label: "p99 ms", better: "less" },
  maxMs: { label: "max ms", better: "less" },
  loopMs: { label: "loop ms", better: "less" },
  cpuMs: { label: "CPU ms/op", better: "less" },
  generatorMs: { label: "gen. ms/op", better: "neither" },
  cpuPercent: { label: "CPU %", better: "less" },
  kilobytes: { label: "answer kB", better: "less" },
  bytesEach: { label: "bytes/op", better: "less" },
  walBytesEach: { label: "WAL bytes/op", better: "less" },
  residentMb: { label: "RSS MB", better: "less" },
  proportionalMb: { label: "PSS MB", better: "less" },
  growthMb: { label: "RSS growth MB", better: "less" },
  rateRatio: { label: "× ops/s", better: "more" },
  p50Ratio: { label: "× p50", better: "less" },
  p99Ratio: { label: "× p99", better: "less" },
  cpuRatio: { label: "× CPU", better: "less" },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;
