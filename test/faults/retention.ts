import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { Client } from "./client.ts";
import { listHalfDone } from "./half-done.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { restartJobs } from "./restart-jobs.ts";
import { FaultServer } from "./server.ts";

/** Much that is over goes while people write, whoever dies meanwhile. */
export const retention: ProofCase = {
  name: "retention",
  unit: "event whose time is over, all of them destroyed beside people who write",
  fullUnits: 2_000_000,
  unitsPerRun: 2_000_000,
  run: runRetention,
};

const ROOMS = 8;
const WRITERS = 4;
const ALONE_MS = 60_000;
const ALONE_IN_SHARE_MS = 2_000;
/** Promised; a share is run beside other cases, and has too few sends for a 99th part of them. */
const MOST_TIMES = 2;
const MOST_TIMES_IN_SHARE = 20;
/** Below that a share says nothing. */
const LEAST_IN_SHARE_MS = 25;
/** How much larger a table may be than what it holds now, after as much came as had gone. */
const MOST_GROWTH = 1.1;
/** What no table is too large by: a share of it is smaller than that. */
const LEAST_GROWTH = 8 * 2 ** 20;
/** A share of it takes seconds. */
const PART = 8;
const LONGEST_MS = 3 * 3_600_000;
const LONGEST_IN_SHARE_MS = 120_000;
const DAY_MS = 86_400_000;
const CANARY = "a canary of the proof";

async function runRetention(options: RunOptions): Promise<Outcome> {
  const { isFull } = options;
  const units = isFull ? options.units : Math.ceil(options.units / PART);
  const server = new FaultServer({
    // What is copied below could not be opened.
    environment: { MYELIN_SEALING: "off" },
  });
  const writers = Array.from({ length: WRITERS }, () => new Client(server));
  let sql: postgres.Sql | undefined;
  try {
    await server.start();
    for (const [i, client] of writers.entries())
      await client.register(`writer${i}`);
    const rooms = await makeRooms(writers);
    sql = postgres(server.databaseUrl(), {
      max: 2,
      onnotice: () => undefined,
    });
    await fill(sql, { from: 1, units, ts: Date.now() - 60 * DAY_MS });
    const filled = await sizesOf(sql);
    // As cold as it is when the run begins.
    await restartJobs(server, sql);
    const alone = new Sends(writers, rooms);
    await pause(isFull ? ALONE_MS : ALONE_IN_SHARE_MS);
    await alone.end();
    await putInForce(sql);
    // Who begins looks at once what is due.
    await restartJobs(server, sql);
    const beside = new Sends(writers, rooms);
    const begun = performance.now();
    const most = units / 2;
    const half = await waitUntilLeft(sql, { units, most }, isFull);
    await restartJobs(server, sql);
    await waitUntilLeft(sql, { units, most: 0 }, isFull);
    const seconds = Math.round((performance.now() - begun) / 1000);
    await beside.end();
    const left = await countLeft(sql);
    const lost = await findLost(sql, beside.eventIds);
    const again = await findCanary(sql);
    const halfDone = await listHalfDone(server.databaseUrl());
    // As autovacuum does by itself.
    await sql.unsafe("vacuum event_contents, events");
    const emptied = await sizesOf(sql);
    await fill(sql, { from: units + 1, units, ts: Date.now() });
    const refilled = await sizesOf(sql);
    const bound = isFull
      ? alone.p99() * MOST_TIMES
      : Math.max(LEAST_IN_SHARE_MS, alone.p99() * MOST_TIMES_IN_SHARE);
    return {
      counts: {
        "events that were over": units,
        "seconds until they were gone": seconds,
        "sends alone": alone.times.length,
        "ms for the 99th part of them": Math.round(alone.p99()),
        "sends meanwhile": beside.times.length,
        "ms for the 99th part of those": Math.round(beside.p99()),
        "MB of contents before": megabytes(filled.contents),
        "MB of them afterwards": megabytes(emptied.contents),
        "MB of them after as much came": megabytes(refilled.contents),
        "MB of events before": megabytes(filled.events),
        "MB of them with twice as many": megabytes(refilled.events),
      },
      claims: {
        "all that was over is gone": [
          ...(half > most || left > 0 ? [`${left} are left`] : []),
          ...again,
        ],
        "the run that was killed went on, and took nothing twice":
          await findAnew(sql, units),
        "nothing that was said meanwhile is": lost,
        "sends meanwhile take as long as alone, or twice that":
          beside.p99() > bound
            ? [`${beside.p99()} ms beside ${alone.p99()} ms alone`]
            : [],
        "what comes next takes the place of what went": [
          ...grown("contents", refilled.contents, filled.contents),
          // The events' rows stay, as skeletons.
          ...grown("events", refilled.events, 2 * filled.events),
        ],
        "no work is left half done": halfDone,
      },
    };
  } finally {
    for (const client of writers) client.close();
    await sql?.end({ timeout: 1 });
    await server.remove();
  }
}

async function makeRooms(writers: readonly Client[]): Promise<string[]> {
  const [owner, ...others] = writers as [Client, ...Client[]];
  const rooms: string[] = [];
  for (let i = 0; i < ROOMS; i += 1) {
    const { room_id: roomId } = await owner.must("POST", "/createRoom", {
      preset: "public_chat",
    });
    rooms.push(String(roomId));
    for (const client of others)
      await client.must(
        "POST",
        `/join/${encodeURIComponent(String(roomId))}`,
        {},
      );
  }
  return rooms;
}

interface Filling {
  from: number;
  units: number;
  ts: number;
}

/** What was said in these rooms at a time, as if it had come from elsewhere. */
async function fill(
  sql: postgres.Sql,
  { from, units, ts }: Filling,
): Promise<void> {
  const to = from + units - 1;
  const [row] = await sql<{ sender: string }[]>`
    select sender from events where type = 'm.room.create' limit 1`;
  await sql`
    insert into events (nid, room_nid, depth, arrival, origin_server_ts, received_ts, event_id, type, sender, skeleton)
    select -i, rooms.room_nid, 1, -i, ${ts}::bigint + i % 1000, ${ts}::bigint + i % 1000, '$proof' || i, 'm.room.message',
      ${row!.sender}, '{"content":{},"origin_server_ts":1,"sender":"@x:y","type":"m.room.message"}'
    from generate_series(${from}::bigint, ${to}::bigint) i
    join (select room_nid, row_number() over () - 1 as place from rooms) rooms on rooms.place = i % ${ROOMS}`;
  await sql`
    insert into event_contents (nid, first_key, second_key, sealed)
    select -i, 0, 0, convert_to('{"content":{"body":"' || ${CANARY} || i || '"}}', 'UTF8')
    from generate_series(${from}::bigint, ${to}::bigint) i`;
  await sql.unsafe("analyze events, event_contents");
}

interface Sizes {
  contents: number;
  events: number;
}

async function sizesOf(sql: postgres.Sql): Promise<Sizes> {
  const [row] = await sql<{ contents: string; events: string }[]>`
    select pg_total_relation_size('event_contents') as contents, pg_table_size('events') as events`;
  return { contents: Number(row!.contents), events: Number(row!.events) };
}

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

const grown = (what: string, size: number, fair: number): string[] =>
  size > fair * MOST_GROWTH + LEAST_GROWTH
    ? [`${what}: ${megabytes(size)} MB where ${megabytes(fair)} hold them`]
    : [];

/** Whether one run destroyed it all, each once. */
async function findAnew(sql: postgres.Sql, units: number): Promise<string[]> {
  const rows = await sql<{ id: string; count: string }[]>`
    select job_id as id, count from retention_tallies where what = 'messages'`;
  return rows.length === 1 && Number(rows[0]!.count) === units
    ? []
    : rows.map(({ id, count }) => `run ${id} took ${count}`);
}

async function putInForce(sql: postgres.Sql): Promise<void> {
  const document = JSON.stringify({
    scope: { kind: "server" },
    max_lifetime: 30 * DAY_MS,
  });
  await sql`
    insert into retention_policies (policy_id, draft, active, active_version, in_force_ts, changed_by, changed_ts)
    values ('proof', ${document}, ${document}, 1, 0, 'the proof', 0)`;
}

/** Answers how many are left by the run's count when so many are, or when that has taken too long. */
async function waitUntilLeft(
  sql: postgres.Sql,
  { units, most }: { units: number; most: number },
  isFull: boolean,
): Promise<number> {
  const end = performance.now() + (isFull ? LONGEST_MS : LONGEST_IN_SHARE_MS);
  for (;;) {
    // To count what is there would cost more than to destroy it.
    const [row] = await sql<{ count: string }[]>`
      select coalesce(sum(count), 0) as count from retention_tallies where what = 'contents'`;
    const left = units - Number(row!.count);
    if (left <= most || performance.now() > end) return left;
    await pause(isFull ? 2000 : 100);
  }
}

async function countLeft(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ count: string }[]>`
    select count(*) as count from event_contents where nid < 0`;
  return Number(row!.count);
}

async function findLost(
  sql: postgres.Sql,
  eventIds: readonly string[],
): Promise<string[]> {
  const rows = await sql<{ eventId: string }[]>`
    select event_id as "eventId" from events e join event_contents c using (nid)
    where e.event_id = any(${eventIds as string[]}::text[])`;
  const kept = new Set(rows.map(({ eventId }) => eventId));
  return tell(eventIds.filter((eventId) => !kept.has(eventId)));
}

async function findCanary(sql: postgres.Sql): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public'`;
  const hex = Buffer.from(CANARY).toString("hex");
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await sql`
      select from ${sql(name)} t
      where position(${CANARY} in t::text) > 0 or position(${hex} in t::text) > 0 limit 1`;
    if (rows.length > 0) found.push(`it stands in ${name}`);
  }
  return found;
}

/** People who write, one message after the other, and how long each takes. */
class Sends {
  readonly times: number[] = [];
  readonly eventIds: string[] = [];
  #isEnded = false;
  readonly #all: Promise<unknown>;

  constructor(writers: readonly Client[], rooms: readonly string[]) {
    this.#all = Promise.all(
      writers.map((client, i) => this.#write(client, i, rooms)),
    );
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#all;
  }

  p99(): number {
    const sorted = [...this.times].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  }

  async #write(client: Client, place: number, rooms: readonly string[]) {
    for (let i = 0; !this.#isEnded; i += 1) {
      const room = encodeURIComponent(rooms[(place + i) % rooms.length]!);
      const before = client.retries;
      const begun = performance.now();
      const { event_id: eventId } = await client.must(
        "PUT",
        `/rooms/${room}/send/m.room.message/${place}-${begun}`,
        { msgtype: "m.text", body: "said meanwhile" },
      );
      // What a restart kept waiting says nothing of the purge.
      if (client.retries === before) this.times.push(performance.now() - begun);
      this.eventIds.push(String(eventId));
      await pause(5);
    }
  }
}
