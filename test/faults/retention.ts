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
/** Below that nobody feels a difference. */
const LEAST_MS = 25;
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
    await fill(sql, units);
    const alone = new Sends(writers, rooms);
    await pause(isFull ? ALONE_MS : ALONE_IN_SHARE_MS);
    await alone.end();
    await putInForce(sql);
    // Who begins looks at once what is due.
    await restart(server, sql);
    const beside = new Sends(writers, rooms);
    const begun = performance.now();
    const half = await waitUntilLeft(sql, units / 2, isFull);
    await restart(server, sql);
    const left = await waitUntilLeft(sql, 0, isFull);
    const seconds = Math.round((performance.now() - begun) / 1000);
    await beside.end();
    const lost = await findLost(sql, beside.eventIds);
    const again = await findCanary(sql);
    await sql.unsafe("vacuum event_contents");
    const [dead] = await sql<{ count: string }[]>`
      select n_dead_tup as count from pg_stat_user_tables where relname = 'event_contents'`;
    const most = isFull ? MOST_TIMES : MOST_TIMES_IN_SHARE;
    const bound = Math.max(LEAST_MS, alone.p99() * most);
    return {
      counts: {
        "events that were over": units,
        "seconds until they were gone": seconds,
        "sends alone": alone.times.length,
        "ms for the 99th part of them": Math.round(alone.p99()),
        "sends meanwhile": beside.times.length,
        "ms for the 99th part of those": Math.round(beside.p99()),
        "dead rows after a plain vacuum": Number(dead?.count ?? 0),
      },
      claims: {
        "all that was over is gone": [
          ...(half > units / 2 || left > 0 ? [`${left} are left`] : []),
          ...again,
        ],
        "nothing that was said meanwhile is": lost,
        "sends meanwhile take as long as alone, or twice that":
          beside.p99() > bound
            ? [`${beside.p99()} ms beside ${alone.p99()} ms alone`]
            : [],
        "no work is left half done": await listHalfDone(server.databaseUrl()),
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

/** What was said in these rooms two months ago, as if it had come from elsewhere. */
async function fill(sql: postgres.Sql, units: number): Promise<void> {
  const [row] = await sql<{ sender: string }[]>`
    select sender from events where type = 'm.room.create' limit 1`;
  const ts = Date.now() - 60 * DAY_MS;
  await sql`
    insert into events (nid, room_nid, depth, arrival, origin_server_ts, received_ts, event_id, type, sender, skeleton)
    select -i, rooms.room_nid, 1, -i, ${ts}::bigint + i % 1000, ${ts}::bigint + i % 1000, '$proof' || i, 'm.room.message',
      ${row!.sender}, '{"content":{},"origin_server_ts":1,"sender":"@x:y","type":"m.room.message"}'
    from generate_series(1, ${units}::bigint) i
    join (select room_nid, row_number() over () - 1 as place from rooms) rooms on rooms.place = i % ${ROOMS}`;
  await sql`
    insert into event_contents (nid, first_key, second_key, sealed)
    select -i, 0, 0, convert_to('{"content":{"body":"' || ${CANARY} || i || '"}}', 'UTF8')
    from generate_series(1, ${units}::bigint) i`;
  await sql.unsafe("analyze events, event_contents");
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

/** Kills all that serves, and has the next ones begin with what those held. */
async function restart(server: FaultServer, sql: postgres.Sql): Promise<void> {
  await server.killProcesses();
  await sql`delete from leases where name = 'keep retention'`;
  await sql`update admin_jobs set held_until = '-infinity' where kind = 'retention'`;
  await server.launch();
  await server.ready();
}

/** Answers how many are left when so many are, or when that has taken too long. */
async function waitUntilLeft(
  sql: postgres.Sql,
  most: number,
  isFull: boolean,
): Promise<number> {
  const end = performance.now() + (isFull ? LONGEST_MS : LONGEST_IN_SHARE_MS);
  for (;;) {
    const [row] = await sql<{ count: string }[]>`
      select count(*) as count from event_contents where nid < 0`;
    const left = Number(row!.count);
    if (left <= most || performance.now() > end) return left;
    await pause(isFull ? 2000 : 100);
  }
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
