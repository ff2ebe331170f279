import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { Client } from "./client.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { seededChance } from "./random.ts";
import { FaultServer } from "./server.ts";

/** G6: what was there when a hold was told of is there for as long as the hold. */
export const holds: ProofCase = {
  name: "holds",
  unit: "race of a legal hold against a purge of the room that it is of",
  fullUnits: 10_000,
  unitsPerRun: 1_000,
  run: runHolds,
};

const LANES = 4;
const EVENTS = 3;
/** A share of it takes seconds. */
const PART = 16;
/** How long a purge is taken to last before any was seen. */
const FIRST_MS = 50;
const PATIENCE_MS = 90_000;

async function runHolds(options: RunOptions): Promise<Outcome> {
  const { seed, isFull } = options;
  const units = isFull ? options.units : Math.ceil(options.units / PART);
  const chance = seededChance(seed);
  const server = new FaultServer({
    environment: {
      MYELIN_LISTENERS_ADMIN_ON_CLIENT_LISTENER: "true",
      MYELIN_ADMIN_UNDO_WINDOW_HOURS: "0",
    },
  });
  const races = new Races(server);
  try {
    await server.start();
    await races.prepare();
    let left = units;
    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        while (left > 0) {
          left -= 1;
          await races.race(lane, chance.between(0, 200) / 100);
        }
      }),
    );
    return races.outcome(units);
  } finally {
    await races.end();
    await server.remove();
  }
}

interface Kept {
  nid: string;
  bytes: string;
}

class Races {
  readonly #server: FaultServer;
  #clients: Client[] = [];
  #rooms: string[] = [];
  #token = "";
  #sql: postgres.Sql | undefined;
  readonly #lost: string[] = [];
  #kept = 0;
  #gone = 0;
  #sent = 0;
  #purgeMs = FIRST_MS;

  constructor(server: FaultServer) {
    this.#server = server;
  }

  async prepare(): Promise<void> {
    const officer = await new Client(this.#server).register("officer");
    this.#token = officer.token ?? "";
    officer.close();
    this.#sql = postgres(this.#server.databaseUrl(), { max: LANES });
    for (const [i, role] of ["compliance-officer", "system-admin"].entries())
      await this.#sql`
        insert into role_bindings (binding_id, user_id, role_id, scope_kind, reason, granted_by, granted_ts)
        values (${i + 1}, ${officer.userId}, ${role}, 'server', 'for the proof', 'the proof', 1)`;
    for (let lane = 0; lane < LANES; lane += 1) {
      const client = await new Client(this.#server).register(`writer${lane}`);
      this.#clients.push(client);
      const made = await client.must("POST", "/createRoom", {});
      this.#rooms.push(String(made["room_id"]));
    }
  }

  /** A purge, and a hold after so many times what one takes: what is there when that is told of stays. */
  async race(lane: number, delay: number): Promise<void> {
    const roomId = this.#rooms[lane]!;
    let point = "";
    for (let i = 0; i <= EVENTS; i += 1) point = await this.#say(lane);
    const begun = performance.now();
    const purging = this.#ask(
      "POST",
      `/_synapse/admin/v1/purge_history/${encodeURIComponent(roomId)}/${encodeURIComponent(point)}`,
      { delete_local_events: true },
    );
    await pause(delay * this.#purgeMs);
    const hold = await this.#ask("POST", "/_myelin/admin/v1/holds", {
      ...{ name: "a race", case_id: "proof", reason: "proof" },
      rooms: [roomId],
    });
    const before = await this.#read(roomId);
    const { purge_id: purgeId } = await purging;
    await this.#whilePurging(String(purgeId));
    this.#purgeMs = (this.#purgeMs + performance.now() - begun) / 2;
    const after = await this.#read(roomId);
    const found = new Map(after.map(({ nid, bytes }) => [nid, bytes]));
    for (const { nid, bytes } of before)
      if (found.get(nid) !== bytes) this.#lost.push(`event ${nid}`);
    const isKept = after.length > 1;
    if (isKept) this.#kept += 1;
    else this.#gone += 1;
    await this.#ask(
      "POST",
      `/_myelin/admin/v1/holds/${String(hold["hold_id"])}/release`,
      { reason: "proof" },
    );
  }

  outcome(units: number): Outcome {
    return {
      counts: {
        races: units,
        "holds that came first": this.#kept,
        "purges that came first": this.#gone,
      },
      claims: { "nothing that was held is lost": tell(this.#lost) },
    };
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#sql?.end({ timeout: 1 });
  }

  async #say(lane: number): Promise<string> {
    const { event_id: eventId } = await this.#clients[lane]!.must(
      "PUT",
      `/rooms/${encodeURIComponent(this.#rooms[lane]!)}/send/m.room.message/${(this.#sent += 1)}`,
      { msgtype: "m.text", body: "held" },
    );
    return String(eventId);
  }

  /** What is there of messages, as it is sealed, wherever it is. */
  #read(roomId: string): Promise<Kept[]> {
    return this.#sql!<Kept[]>`
      select e.nid, md5(c.sealed) as bytes from rooms r join events e on e.room_nid = r.room_nid
      join (select nid, sealed from event_contents union all select nid, sealed from held_contents) c on c.nid = e.nid
      where r.room_id = ${roomId} and e.state_key is null`;
  }

  async #whilePurging(purgeId: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const { status } = await this.#ask(
        "GET",
        `/_synapse/admin/v1/purge_history_status/${purgeId}`,
      );
      if (status !== "active") return;
      if (performance.now() > end) throw new Error("a purge does not end");
      await pause(5);
    }
  }

  async #ask(
    method: string,
    path: string,
    body?: object,
  ): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.#server.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        "content-type": "application/json",
        // Whichever process takes the next one.
        connection: "close",
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const said = (await answer.json()) as Record<string, unknown>;
    if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(said)}`);
    return said;
  }
}
