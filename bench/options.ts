import { parseArgs } from "node:util";
import { PAIRS } from "./pairs.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";
import { SUITES } from "./suites.ts";

/** What a run was asked to do. */
export interface Options {
  /** Base URLs of a running server; none starts ours. */
  readonly targets: readonly string[];
  readonly scenarios: readonly string[];
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly secret: string | undefined;
  readonly registrationToken: string | undefined;
  readonly pids: readonly number[];
  readonly database: string | undefined;
  readonly dataFolder: string | undefined;
  readonly processes: number;
  readonly sealing: "on" | "off";
  readonly rateLimits: "on" | "off" | "default";
  /** Parts of the names of the abuse that is tried. */
  readonly attack: string;
  readonly profile: string | undefined;
  readonly senders: readonly number[];
  readonly members: readonly number[];
  readonly clients: readonly number[];
  readonly rooms: readonly number[];
  readonly history: readonly number[];
  readonly receiptRate: number | undefined;
  readonly besideRate: number;
  readonly waiting: number;
  readonly size: number;
  readonly messages: number;
  readonly mediaStore: "folder" | "s3";
  readonly fileMebibytes: number;
  readonly thumbnails: number;
  readonly snapshotSeconds: number;
  readonly rounds: number;
  /** What two servers differ in that are measured against each other. */
  readonly pair: string | undefined;
  readonly suite: string | undefined;
  /** Parts of the suite that are measured even if they have been. */
  readonly parts: readonly string[];
  readonly hasMetrics: boolean;
  readonly out: string | undefined;
  readonly isCi: boolean;
}

/** Words that cannot be made sense of. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Abuse takes its time, and is asked for by name. */
const UNUSUAL = ["abuse", "acts", "keywords"];
const USUAL = [...SCENARIOS.keys()].filter((name) => !UNUSUAL.includes(name));

const DEFAULTS = {
  scenario: USUAL.join(","),
  seconds: "8",
  "warm-up": "2",
  processes: "1",
  sealing: "on",
  "rate-limits": "off",
  senders: "1,16,64",
  members: "10,100,300",
  clients: "1,100",
  rooms: "50,500",
  history: "1000,10000",
  "beside-rate": "1000",
  waiting: "4000",
  size: "300",
  messages: "10000",
  "media-store": "folder",
  "file-size": "1024",
  thumbnails: "100",
  "hold-snapshot": "0",
  rounds: "3",
};

/** What fits in front of the tests. */
const CI_DEFAULTS: typeof DEFAULTS = {
  ...DEFAULTS,
  scenario: "B13,B1,B2,B3,B4,B5-warm,B11,B15",
  seconds: "3",
  "warm-up": "1",
  senders: "1,64",
  members: "10,100",
  clients: "1,20",
  rooms: "50",
  waiting: "0",
  size: "200",
  rounds: "1",
  messages: "4000",
  "file-size": "64",
  thumbnails: "10",
};

const text = { type: "string" } as const;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parse(args);
  const defaults = values.ci ? CI_DEFAULTS : DEFAULTS;
  const take = (name: keyof typeof DEFAULTS) => values[name] ?? defaults[name];
  const number = (name: keyof typeof DEFAULTS) => readNumber(name, take(name));
  const count = (name: keyof typeof DEFAULTS, least = 1) =>
    readCount(name, take(name), least);
  const list = (name: keyof typeof DEFAULTS, least = 1) =>
    readList(name, take(name), least);
  const targets = values.target ?? [];
  const { database, profile, pair, suite } = values;
  const scenarios = readScenarios(take("scenario"));
  if (targets.length === 0 && database !== undefined)
    throw new UsageError("--database is of a server given by --target.");
  if (targets.length > 0 && profile !== undefined)
    throw new UsageError("--profile is for a server started here.");
  if (targets.length > 0 && values["media-store"] !== undefined)
    throw new UsageError("--media-store is for a server started here.");
  if (targets.length > 0 && pair !== undefined)
    throw new UsageError("--pair is of servers started here.");
  if (pair !== undefined) assertKnown("pair", pair, PAIRS);
  if (suite !== undefined) assertKnown("suite", suite, SUITES);
  return {
    targets,
    scenarios,
    seconds: number("seconds"),
    warmUpSeconds: number("warm-up"),
    secret: values.secret,
    registrationToken: values["registration-token"],
    pids: values.pids === undefined ? [] : readList("pids", values.pids),
    database,
    dataFolder: values["data-folder"],
    processes: count("processes"),
    sealing: readSwitch("sealing", take("sealing")),
    rateLimits: readLimits(take("rate-limits")),
    attack: values.attack ?? "",
    profile,
    senders: list("senders"),
    members: list("members", 2),
    clients: list("clients"),
    rooms: list("rooms"),
    history: list("history"),
    receiptRate:
      values["receipt-rate"] === undefined
        ? undefined
        : readNumber("receipt-rate", values["receipt-rate"]),
    besideRate: number("beside-rate"),
    waiting: count("waiting", 0),
    size: count("size", 2),
    messages: count("messages"),
    mediaStore: readStore(take("media-store")),
    fileMebibytes: count("file-size"),
    thumbnails: count("thumbnails"),
    snapshotSeconds: number("hold-snapshot"),
    rounds: count("rounds"),
    pair,
    suite,
    parts: values.part?.split(",") ?? [],
    hasMetrics: scenarios.includes("B6"),
    out: values.out,
    isCi: values.ci ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        target: { type: "string", multiple: true },
        scenario: text,
        seconds: text,
        "warm-up": text,
        secret: text,
        "registration-token": text,
        pids: text,
        database: text,
        "data-folder": text,
        processes: text,
        sealing: text,
        "rate-limits": text,
        attack: text,
        profile: text,
        senders: text,
        members: text,
        clients: text,
        rooms: text,
        history: text,
        "receipt-rate": text,
        "beside-rate": text,
        waiting: text,
        size: text,
        messages: text,
        "media-store": text,
        "file-size": text,
        thumbnails: text,
        "hold-snapshot": text,
        rounds: text,
        pair: text,
        suite: text,
        part: text,
        out: text,
        ci: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "?");
  }
}

function readNumber(name: string, value: string): number {
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new UsageError(`--${name} expects a number, not ${value}.`);
}

function readCount(name: string, value: string, least = 1): number {
  const count = readNumber(name, value);
  if (Number.isInteger(count) && count >= least) return count;
  throw new UsageError(`--${name} expects ${least} or more, not ${value}.`);
}

/** Ascending, so that what grows is made once. */
const readList = (name: string, value: string, least = 1): number[] =>
  value
    .split(",")
    .map((part) => readCount(name, part, least))
    .sort((a, b) => a - b);

function assertKnown(
  option: string,
  name: string,
  known: ReadonlyMap<string, unknown>,
): void {
  if (known.has(name)) return;
  const names = [...known.keys()].join(", ");
  throw new UsageError(`--${option} knows ${names}, not ${name}.`);
}

function readSwitch(name: string, value: string): "on" | "off" {
  if (value === "on" || value === "off") return value;
  throw new UsageError(`--${name} is on or off, not ${value}.`);
}

function readStore(value: string): Options["mediaStore"] {
  if (value === "folder" || value === "s3") return value;
  throw new UsageError(`--media-store is folder or s3, not ${value}.`);
}

function readLimits(value: string): Options["rateLimits"] {
  return value === "default" ? value : readSwitch("rate-limits", value);
}

/** "B16" means all whose name begins with it and a hyphen. */
function readScenarios(value: string): string[] {
  const known = [...SCENARIOS.keys()];
  return value.split(",").flatMap((name) => {
    const meant = known.filter(
      (one) => one === name || one.startsWith(`${name}-`),
    );
    if (meant.length > 0) return meant;
    throw new UsageError(`--scenario knows ${known.join(", ")}, not ${name}.`);
  });
}
