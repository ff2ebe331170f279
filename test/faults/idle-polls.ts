import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { COLLECTING, collect } from "../../bench/measure/collect.ts";
import { readResidentBytes } from "../../bench/measure/proc.ts";
import { readOpenFilesLimit } from "../../src/cli/open-files.ts";
import { Client } from "./client.ts";
import type { HolderOrder, HolderReport } from "./poll-holder.ts";
import {
  NotRun,
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { FaultServer } from "./server.ts";

/** Row 52 of the faults and abuse: slow and idle clients. */
export const idlePolls: ProofCase = {
  name: "idle-polls",
  unit: "device that waits in a long-poll, all of them at the same time",
  fullUnits: 50_000,
  unitsPerRun: 50_000,
  run: runIdlePolls,
};

const DEVICES_OF_ONE = 100;
/** Of a process's open files; the rest is its own. */
const PART_OF_FILES = 0.8;
const MOST_PROCESSES = 32;
const LANES = 6;
const ATTEMPTS = 5;
/** Sends beside all who wait, one after the other. */
const SENDS = 300;
const LONGEST_RISE_MS = 600_000;
const LONGEST_NEWS_MS = 300_000;
const HEADER_SECONDS = 10;
const BODY_SECONDS = 30;
const SHORT_BODY_SECONDS = 3;
const SLOW_CLIENTS = 20;
/** What a busy machine may be late. */
const LATE_SECONDS = 10;

interface Owner {
  token: string;
  userId: string;
  room: string;
  since: string;
}

async function runIdlePolls({ units, isFull }: RunOptions): Promise<Outcome> {
  const files = Math.min(readOpenFilesLimit() ?? 1_000, 100_000);
  const processes = Math.max(2, Math.ceil(units / (files * PART_OF_FILES)));
  if (processes > MOST_PROCESSES)
    throw new NotRun(`a process may open ${files} files here`);
  const bodySeconds = isFull ? BODY_SECONDS : SHORT_BODY_SECONDS;
  const server = new FaultServer({
    processes,
    environment: {
      MYELIN_LIMITS_BODY_IDLE_SECONDS: String(bodySeconds),
      NODE_OPTIONS: COLLECTING.join(" "),
      // What is copied below could not be opened under another device's name.
      MYELIN_SEALING: "off",
    },
  });
  const sender = new Client(server);
  const holders: ChildProcess[] = [];
  try {
    await server.start();
    await sender.register("sender");
    const own = await openRoom(sender);
    const owners = await register(server, Math.ceil(units / DEVICES_OF_ONE));
    await makeDevices(server);
    const pids = [...server.workerPids()];
    const residentBytes = async () => {
      await collect(pids);
      return sum(pids, readResidentBytes);
    };
    const slow = watchSlow(server, bodySeconds);
    const before = await residentBytes();
    const alone = await time(sender, own, "a");
    holders.push(...startHolders(server, owners, units, processes));
    const waiting = await rise(holders, units);
    const height = await residentBytes();
    const beside = await time(sender, own, "b");
    const still = sum(await reports(holders), ({ waiting: n }) => n);
    const first = owners[0]!;
    await speak(sender, first);
    await toldAll(holders, DEVICES_OF_ONE);
    const strangers = (await reports(holders)).flatMap(({ told }) =>
      Object.keys(told).filter((owner) => owner !== "0"),
    );
    const begun = performance.now();
    for (const owner of owners.slice(1)) await speak(sender, owner);
    const told = await toldAll(holders, units);
    const newsMs = performance.now() - begun;
    const all = await reports(holders);
    return {
      counts: {
        "devices waiting": waiting,
        processes,
        "devices of a user": DEVICES_OF_ONE,
        "MB of all processes before": Math.round(before / 2 ** 20),
        "MB with all waiting": Math.round(height / 2 ** 20),
        "bytes for each": Math.round((height - before) / units),
        "ms p50 of a send without them": alone.p50,
        "ms p99 of a send without them": alone.p99,
        "ms p50 of a send beside them": beside.p50,
        "ms p99 of a send beside them": beside.p99,
        "ms until all were told of news": Math.round(newsMs),
        "polls that ended by their time": sum(all, ({ idle }) => idle),
        "answers 503, after which they asked again": sum(
          all,
          ({ unavailable }) => unavailable,
        ),
      },
      claims: {
        "all waited at the same time":
          Math.min(waiting, still) === units
            ? []
            : [`${waiting}, then ${still} of ${units}`],
        "none was cut or refused": tell(all.flatMap(({ faults }) => faults)),
        "a message woke nobody whom it was not for": tell(strangers),
        "every one of them was told of news":
          told === units ? [] : [`${told} of ${units}`],
        "sends beside them were all answered": tell([
          ...alone.faults,
          ...beside.faults,
        ]),
        "headers had 10 s, bodies no pause longer than told": await slow,
      },
    };
  } finally {
    for (const holder of holders) holder.kill("SIGKILL");
    sender.close();
    await server.remove();
  }
}

async function openRoom(client: Client): Promise<string> {
  const { room_id: roomId } = await client.must("POST", "/createRoom", {});
  return encodeURIComponent(String(roomId));
}

/** People with a room of their own, and where their devices stand in the stream. */
async function register(server: FaultServer, count: number): Promise<Owner[]> {
  const owners: Owner[] = [];
  let next = 0;
  const lane = async () => {
    const client = new Client(server);
    for (let i = next++; i < count; i = next++) {
      await registerAnew(client, `owner${i}`);
      const room = await openRoom(client);
      const place = "/sync?timeout=0&set_presence=offline";
      const { next_batch: since } = await client.must("GET", place);
      const { token = "", userId } = client;
      owners[i] = { token, userId, room, since: String(since) };
    }
    client.close();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return owners;
}

/** Where an answer was lost, the name is taken by ourselves. */
async function registerAnew(client: Client, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    client.token = undefined;
    try {
      await client.register(`${name}.${attempt}`);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

const tokenOf = (userId: string, number: number): string =>
  `idle-${userId}-IDLE${number}`;

/** Logging each in would hash a password for each. */
async function makeDevices(server: FaultServer): Promise<void> {
  const sql = postgres(server.databaseUrl(), { max: 1 });
  await sql`
    insert into devices (user_id, device_id, key_id, sealed, created_ts)
    select user_id, 'IDLE' || number, key_id, sealed, created_ts
    from devices, generate_series(0, ${DEVICES_OF_ONE - 1}) as number where user_id like '@owner%'`;
  await sql`
    insert into access_tokens (token_hash, token_id, user_id, device_id, created_ts)
    select sha256(convert_to('idle-' || user_id || '-' || device_id, 'UTF8')), -row_number() over (),
      user_id, device_id, created_ts
    from devices where device_id like 'IDLE%'`;
  await sql.end();
}

function startHolders(
  server: FaultServer,
  owners: readonly Owner[],
  units: number,
  count: number,
): ChildProcess[] {
  const devices: HolderOrder["devices"][number][] = Array.from(
    { length: units },
    (_, i) => {
      const owner = Math.floor(i / DEVICES_OF_ONE);
      const { userId, since } = owners[owner]!;
      return { owner, since, token: tokenOf(userId, i % DEVICES_OF_ONE) };
    },
  );
  const port = Number(new URL(server.url).port);
  return Array.from({ length: count }, (_, part) => {
    const holder = fork(join(import.meta.dirname, "poll-holder.js"));
    const own = devices.filter((_device, i) => i % count === part);
    const order: HolderOrder = { port, devices: own };
    holder.send(order);
    return holder;
  });
}

const reports = (holders: readonly ChildProcess[]): Promise<HolderReport[]> =>
  Promise.all(
    holders.map(async (holder) => {
      const answer = once(holder, "message");
      holder.send("report");
      return ((await answer) as [HolderReport])[0];
    }),
  );

const sum = <T>(items: readonly T[], count: (item: T) => number): number =>
  items.reduce((total, item) => total + count(item), 0);

/** How many wait when all do, or when it takes too long. */
async function rise(
  holders: readonly ChildProcess[],
  units: number,
): Promise<number> {
  const end = performance.now() + LONGEST_RISE_MS;
  for (;;) {
    const waiting = sum(await reports(holders), ({ waiting: n }) => n);
    if (waiting === units || performance.now() > end) return waiting;
    await pause(200);
  }
}

/** How many were told when as many as expected were, or when it takes too long. */
async function toldAll(
  holders: readonly ChildProcess[],
  expected: number,
): Promise<number> {
  const end = performance.now() + LONGEST_NEWS_MS;
  for (;;) {
    const told = sum(await reports(holders), ({ told: by }) =>
      sum(Object.values(by), (n) => n),
    );
    if (told >= expected || performance.now() > end) return told;
    await pause(100);
  }
}

async function speak(sender: Client, { token, room }: Owner): Promise<void> {
  const { token: own } = sender;
  sender.token = token;
  const place = `/rooms/${room}/send/m.room.message/news`;
  await sender.must("PUT", place, { msgtype: "m.text", body: "news" });
  sender.token = own;
}

interface Times {
  p50: number;
  p99: number;
  faults: string[];
}

async function time(
  sender: Client,
  room: string,
  name: string,
): Promise<Times> {
  const times: number[] = [];
  const faults: string[] = [];
  for (let i = 0; i < SENDS; i += 1) {
    const begun = performance.now();
    const place = `/rooms/${room}/send/m.room.message/${name}${i}`;
    const answer = await sender.ask("PUT", place, { body: "x" });
    if (answer.status !== 200) faults.push(`${answer.status}`);
    times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  const at = (part: number) =>
    Math.round(times[Math.floor(part * SENDS)]! * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), faults };
}

/** What speaks against the times that slow clients are given. */
async function watchSlow(
  server: FaultServer,
  bodySeconds: number,
): Promise<string[]> {
  const port = Number(new URL(server.url).port);
  const kinds = [
    { seconds: HEADER_SECONDS, begin: "", drip: "" },
    {
      seconds: HEADER_SECONDS,
      begin: "GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
      drip: "a",
    },
    {
      seconds: bodySeconds,
      begin:
        "POST /_matrix/client/v3/register HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
      drip: "",
    },
  ];
  const ends = kinds.flatMap((kind) =>
    Array.from({ length: SLOW_CLIENTS }, async () => {
      const seconds = await secondsUntilCut(port, kind.begin, kind.drip);
      const isInTime =
        seconds > kind.seconds - 1 && seconds < kind.seconds + LATE_SECONDS;
      return isInTime ? [] : [`cut after ${seconds} s, not ${kind.seconds}`];
    }),
  );
  return tell((await Promise.all(ends)).flat());
}

async function secondsUntilCut(
  port: number,
  begin: string,
  drip: string,
): Promise<number> {
  const begun = performance.now();
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(begin);
  const timer = setInterval(() => socket.write(drip), 1_000);
  await once(socket, "close");
  clearInterval(timer);
  return Math.round((performance.now() - begun) / 100) / 10;
}
