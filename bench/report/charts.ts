import type { MetricName } from "./metrics.ts";
import type { SuiteReport } from "./readings.ts";
import type { Chart, Series } from "./svg-chart.ts";

interface Drawing {
  /** Of docs/figures/. */
  readonly file: string;
  /** What the picture shows, for those who do not see it. */
  readonly alt: string;
  readonly draw: (suite: SuiteReport) => Chart;
}

/** The values of all lines "title: size", or those that the pattern finds a size in. */
function curve(
  name: string,
  lines: { part: string; size: RegExp; metric: MetricName; scale?: number },
): (suite: SuiteReport) => Series {
  return (suite) => ({
    name,
    points: (suite[lines.part]?.measurements ?? []).flatMap((one) => {
      const size = lines.size.exec(one.title)?.[1];
      const value = one.values[lines.metric];
      return size === undefined || value === undefined
        ? []
        : { x: Number(size), y: value * (lines.scale ?? 1) };
    }),
  });
}

const sized = (title: string) => new RegExp(`^${title}: (\\d+)$`);

const send = sized("send, members in the room");
const join = sized("a join, members of the room");
const empty = sized("empty sync, rooms of the account");
const first = /^first sync of (\d+) rooms$/;
const WORKS = [
  ["send", "send"],
  ["sync, 1 room changed", "sync"],
  ["newest page", "/messages, newest"],
  ["page in the middle", "/messages, middle"],
  ["oldest page", "/messages, oldest"],
] as const;

const works = (metric: MetricName) =>
  WORKS.map(([work, name]) =>
    curve(name, {
      part: "history",
      size: sized(`${work}, events in the room`),
      metric,
    }),
  );

const drawing = (
  file: string,
  alt: string,
  chart: Omit<Chart, "series">,
  curves: readonly ((suite: SuiteReport) => Series)[],
): Drawing => ({
  file,
  alt,
  draw: (suite) => ({
    ...chart,
    series: curves
      .map((one) => one(suite))
      .filter(({ points }) => points.length > 1),
  }),
});

const MS = { unit: "ms", yLabel: "milliseconds" };

export const DRAWINGS: readonly Drawing[] = [
  drawing(
    "send-by-members.svg",
    "CPU and median latency of a send against the members of its room",
    { title: "A send, by the size of its room", xLabel: "members", ...MS },
    [
      curve("p50", { part: "members", size: send, metric: "p50Ms" }),
      curve("CPU", { part: "members", size: send, metric: "cpuMs" }),
    ],
  ),
  drawing(
    "join-by-members.svg",
    "CPU and median latency of a join against the members of its room",
    { title: "A join, by the size of its room", xLabel: "members", ...MS },
    [
      curve("p50", { part: "members", size: join, metric: "p50Ms" }),
      curve("CPU", { part: "members", size: join, metric: "cpuMs" }),
    ],
  ),
  drawing(
    "empty-sync-by-rooms.svg",
    "CPU and median latency of an empty incremental sync against the rooms of the account",
    {
      title: "An incremental sync that has nothing to tell",
      xLabel: "rooms of the account",
      ...MS,
    },
    [
      curve("p50", { part: "rooms", size: empty, metric: "p50Ms" }),
      curve("CPU", { part: "rooms", size: empty, metric: "cpuMs" }),
    ],
  ),
  drawing(
    "initial-sync-by-rooms.svg",
    "Seconds of an initial sync against the rooms of the account",
    {
      title: "An initial sync, its members loaded lazily",
      xLabel: "rooms of the account",
      yLabel: "seconds",
      unit: "s",
      isLog: true,
    },
    [
      curve("p50", {
        part: "rooms",
        size: first,
        metric: "p50Ms",
        scale: 0.001,
      }),
      curve("CPU", {
        part: "rooms",
        size: first,
        metric: "cpuMs",
        scale: 0.001,
      }),
    ],
  ),
  drawing(
    "history-cpu.svg",
    "CPU of a send, a sync and pages of messages against the events in the room",
    {
      title: "CPU of the same work, by the history of its room",
      xLabel: "events in the room",
      ...MS,
    },
    works("cpuMs"),
  ),
  drawing(
    "history-p50.svg",
    "Median latency of a send, a sync and pages of messages against the events in the room",
    {
      title: "Median latency of the same work, by the history of its room",
      xLabel: "events in the room",
      ...MS,
    },
    works("p50Ms"),
  ),
];
