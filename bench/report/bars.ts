import type { MetricName } from "./metrics.ts";
import { both, figure, map, type Limit, type Read } from "./readings.ts";

export interface Bar {
  readonly figure: string;
  readonly bar: string;
  readonly limits: readonly Limit[];
}

const PERCENT = { unit: " %", scale: 100 };
const MS = { unit: " ms" };
const TIMES = { unit: " ×" };
const PER_SECOND = { unit: "" };

const eight = "64 senders in 8 rooms";
const base = `${eight}, 1 process`;
const share = (layout: string): Limit => ({
  read: figure("processes", `${layout}, against ${base}`, "rateRatio"),
  ...PERCENT,
  atLeast: 0.8,
});
const sends = (layout: string, metric: MetricName) =>
  figure("sends", layout, metric);
const growth = (
  part: string,
  work: string,
  metric: MetricName,
  atMost: number,
): Limit => ({ read: figure(part, work, metric), ...TIMES, atMost });
const longer = (work: string, metric: MetricName) =>
  growth(
    "history",
    `${work}, events in the room: 1000000 against 1000`,
    metric,
    1.3,
  );
const emptySync = (rooms: number) =>
  figure("rooms", `empty sync, rooms of the account: ${rooms}`, "cpuMs");
const firstSync = (rooms: number, metric: MetricName) =>
  figure("rooms", `first sync of ${rooms} rooms`, metric);
const receipt = (clients: string, metric: MetricName) =>
  figure("receipts", `${clients}`, metric);
const paint = (rooms: number, how = ""): Read =>
  figure("sliding", `first paint, 20 of ${rooms} rooms${how}`, "p50Ms");
const stranger = ", by a process that knows other users";
const keyed = (metric: MetricName): Limit => ({
  read: figure(
    "keywords",
    "1 sender in a room of 10000 members, 1000 of whom have a keyword, against none",
    metric,
  ),
  ...TIMES,
  atMost: 2,
});
const GIB_FILE = "a file of 1024 MiB";
const rate = (part: string, way: "up" | "down", atLeast?: number): Limit => ({
  read: figure(part, `${GIB_FILE} ${way}`, "megabytesPerSecond"),
  unit: " MB/s",
  ...(atLeast !== undefined && { atLeast }),
});
const [one, hundred] = ["1 syncing client", "100 syncing clients"] as const;
const SAME = 1.1;

/** The tables of the issues that asked for them, in their order. */
export const BARS: readonly Bar[] = [
  {
    figure: "acknowledged sends/s, 8 rooms: 1 / 16 / 64 senders",
    bar: "≥ 500 / ≥ 1,800 / ≥ 2,500",
    limits: [
      { read: sends("1 sender in 8 rooms", "perSecond"), least: 500 },
      { read: sends("16 senders in 8 rooms", "perSecond"), least: 1_800 },
      { read: sends(eight, "perSecond"), least: 2_500 },
    ].map(({ read, least }) => ({ read, ...PER_SECOND, atLeast: least })),
  },
  {
    figure: "their p99 at 64 senders",
    bar: "< 100 ms",
    limits: [{ read: sends(eight, "p99Ms"), ...MS, atMost: 100 }],
  },
  {
    figure: "64 senders in one room / in 64 rooms, 1 process, of that",
    bar: "≥ 80 %",
    limits: [
      "64 senders in 1 room, 1 process",
      "64 senders in 64 rooms, 1 process",
    ].map(share),
  },
  {
    figure: "8 rooms / one room / 64 rooms, 2 processes, of that",
    bar: "≥ 80 %",
    limits: ["8 rooms", "1 room", "64 rooms"].map((rooms) =>
      share(`64 senders in ${rooms}, 2 processes`),
    ),
  },
  {
    figure: "at the end of a snapshot held for 10 minutes, of before",
    bar: "≥ 90 %",
    limits: [
      {
        read: figure(
          "snapshot",
          "a snapshot held for 600 s against before",
          "rateRatio",
        ),
        ...PERCENT,
        atLeast: 0.9,
      },
    ],
  },
  {
    figure: "the same, of after: as many messages, and no snapshot",
    bar: "≥ 90 %",
    limits: [
      {
        read: figure(
          "snapshot",
          "a snapshot held for 600 s against after",
          "rateRatio",
        ),
        ...PERCENT,
        atLeast: 0.9,
      },
    ],
  },
  {
    figure: "with rate limits on, of without",
    bar: "≥ 90 %",
    limits: [
      {
        read: figure(
          "rate-limits",
          `${eight}, rate limits on, against ${eight}, rate limits off`,
          "rateRatio",
        ),
        ...PERCENT,
        atLeast: 0.9,
      },
    ],
  },
  {
    figure: "CPU a send at 64 senders, PostgreSQL included",
    bar: "≤ 0.45 ms",
    limits: [{ read: sends(eight, "cpuMs"), ...MS, atMost: 0.45 }],
  },
  {
    figure: "send to receipt, 1 syncing client: p50 / p99",
    bar: "< 4 / < 12 ms",
    limits: [
      { read: receipt(one, "p50Ms"), ...MS, atMost: 4 },
      { read: receipt(one, "p99Ms"), ...MS, atMost: 12 },
    ],
  },
  {
    figure: "send to receipt, 100 syncing clients: p50 / p99",
    bar: "< 18 / < 40 ms",
    limits: [
      { read: receipt(hundred, "p50Ms"), ...MS, atMost: 18 },
      { read: receipt(hundred, "p99Ms"), ...MS, atMost: 40 },
    ],
  },
  {
    figure: "its CPU a message",
    bar: "≤ 22 ms",
    limits: [{ read: receipt(hundred, "cpuMs"), ...MS, atMost: 22 }],
  },
  {
    figure: "send to receipt by another process than the sender's: p50 more",
    bar: "≤ 3 ms",
    limits: [
      {
        read: both(
          figure("receipts-across", `${one}, another process`, "p50Ms"),
          figure("receipts-across", `${one}, the sender's process`, "p50Ms"),
          (across, same) => across - same,
        ),
        ...MS,
        atMost: 3,
      },
    ],
  },
  {
    figure: "initial sync of 500 / 5,000 rooms, lazy members, p50",
    bar: "≤ 0.25 / ≤ 2.5 s",
    limits: [
      { rooms: 500, atMost: 0.25 },
      { rooms: 5_000, atMost: 2.5 },
    ].map(({ rooms, atMost }) => ({
      read: map(firstSync(rooms, "p50Ms"), (ms) => ms / 1000),
      unit: " s",
      atMost,
    })),
  },
  {
    figure: "memory it takes more, 500 / 5,000 rooms",
    bar: "≤ 150 MB",
    limits: [500, 5_000].map((rooms) => ({
      read: firstSync(rooms, "growthMb"),
      unit: " MB",
      atMost: 150,
    })),
  },
  {
    figure: "CPU of an empty incremental sync, 500 / 5,000 rooms",
    bar: "≤ 0.5 ms",
    limits: [500, 5_000].map((rooms) => ({
      read: emptySync(rooms),
      ...MS,
      atMost: 0.5,
    })),
  },
  {
    figure: "5,000 rooms against 500",
    bar: "the same (≤ 1.1 ×)",
    limits: [
      {
        read: both(emptySync(5_000), emptySync(500), (many, few) => many / few),
        ...TIMES,
        atMost: SAME,
      },
    ],
  },
  {
    figure: "CPU of a send in a room of 10,000 against one of 10",
    bar: "≤ 1.3 ×",
    limits: [
      growth(
        "members",
        "send, members in the room: 10000 against 10",
        "cpuRatio",
        1.3,
      ),
    ],
  },
  {
    figure: "CPU of the 10,000th join against the 100th",
    bar: "≤ 1.5 ×",
    limits: [
      growth(
        "members",
        "a join, members of the room: 10000 against 100",
        "cpuRatio",
        1.5,
      ),
    ],
  },
  {
    figure: "disk a join, all tables and indexes, the room growing to 10,000",
    bar: "≤ 6 kB",
    limits: [
      {
        read: figure(
          "members",
          "a join, the room growing to 9700",
          "bytesEach",
        ),
        unit: " kB",
        scale: 0.001,
        atMost: 6_000,
      },
    ],
  },
  ...(["cpuRatio", "p50Ratio"] as const).flatMap((metric): Bar[] => {
    const what = metric === "cpuRatio" ? "CPU" : "p50";
    return [
      {
        figure: `10⁶ events in a room against 10³, ${what}: send / sync`,
        bar: "≤ 1.3 ×",
        limits: [
          longer("send", metric),
          longer("sync, 1 room changed", metric),
        ],
      },
      {
        figure: `${what} of \`/messages\`: newest / in the middle / oldest`,
        bar: "≤ 1.3 ×",
        limits: ["newest page", "page in the middle", "oldest page"].map(
          (page) => longer(page, metric),
        ),
      },
    ];
  }),
  {
    figure: "database bytes a message",
    bar: "≤ 1,600",
    limits: [
      { read: sends("a message", "bytesEach"), unit: "", atMost: 1_600 },
    ],
  },
  {
    figure: "memory of an idle process / of a waiting client",
    bar: "≤ 120 MB / ≤ 20 kB",
    limits: [
      {
        read: sends("an idle process", "residentMb"),
        unit: " MB",
        atMost: 120,
      },
      {
        read: sends("4000 waiting clients, each", "bytesEach"),
        unit: " kB",
        scale: 0.001,
        atMost: 20_000,
      },
    ],
  },
  {
    figure: "password logins/s: alone / beside 1,000 sends/s",
    bar: "≥ 50 / ≥ 20",
    limits: [
      { read: figure("logins", "logins alone", "perSecond"), least: 50 },
      {
        read: figure("logins", "logins beside 1000 sends/s", "perSecond"),
        least: 20,
      },
    ].map(({ read, least }) => ({ read, ...PER_SECOND, atLeast: least })),
  },
  {
    figure: "p99 of those sends beside logins against without",
    bar: "≤ 1.5 ×",
    limits: [
      {
        read: figure(
          "logins",
          "1000 sends/s beside logins against without",
          "p99Ratio",
        ),
        ...TIMES,
        atMost: 1.5,
      },
    ],
  },
  {
    figure: "the longest that the event loop was blocked beside both",
    bar: "≤ 50 ms",
    limits: [
      {
        read: figure(
          "logins",
          "a cheap question beside 1000 sends/s and logins",
          "loopMs",
        ),
        ...MS,
        atMost: 50,
      },
    ],
  },
  {
    figure: "sealing's cost in sends/s",
    bar: "≤ 10 %",
    limits: [
      {
        read: map(
          figure(
            "sealing",
            `${eight}, sealing on, against ${eight}, sealing off`,
            "rateRatio",
          ),
          (ratio) => 1 - ratio,
        ),
        ...PERCENT,
        atMost: 0.1,
      },
    ],
  },
  {
    figure: "sliding sync's first 20 of 500 / 5,000 rooms, p50",
    bar: "≤ 10 / ≤ 15 ms",
    limits: [
      { read: paint(500), ...MS, atMost: 10 },
      { read: paint(5_000), ...MS, atMost: 15 },
    ],
  },
  {
    figure: "the same by a process that has not met the user",
    bar: "≤ 40 ms",
    limits: [500, 5_000].map((rooms) => ({
      read: paint(rooms, stranger),
      ...MS,
      atMost: 40,
    })),
  },
  {
    figure:
      "a send in a room of 10,000, of whom 1,000 have keywords, against none: CPU / p50",
    bar: "≤ 2 ×",
    limits: [keyed("cpuRatio"), keyed("p50Ratio")],
  },
  {
    figure:
      "CPU of an administrator's act with its record against without: an account changed / a token made",
    bar: "≤ 1.1 ×",
    limits: ["an act upon an account", "a registration token"].map((act) => ({
      read: figure("acts", `${act} against without its record`, "cpuRatio"),
      ...TIMES,
      atMost: 1.1,
    })),
  },
  {
    figure: "a file of 1 GiB up / down, sealed, in a folder",
    bar: "≥ 150 / ≥ 300 MB/s",
    limits: [rate("media", "up", 150), rate("media", "down", 300)],
  },
  {
    figure: "the same in S3, by a server beside it",
    bar: "–",
    limits: [rate("media-s3", "up"), rate("media-s3", "down")],
  },
  {
    figure: "memory it takes more: folder / S3",
    bar: "≤ 64 MB",
    limits: ["media", "media-s3"].map((part) => ({
      read: figure(part, `${GIB_FILE} up and down`, "growthMb"),
      unit: " MB",
      atMost: 64,
    })),
  },
  {
    figure: "p99 of `/sync` beside 100 thumbnails against alone",
    bar: "≤ 1.2 ×",
    limits: [
      {
        read: figure(
          "media",
          "empty sync beside 100 thumbnails against alone",
          "p99Ratio",
        ),
        ...TIMES,
        atMost: 1.2,
      },
    ],
  },
];
