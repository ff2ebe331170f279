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
  unitsPerRun: 2_500,
  run: runHolds,
};

/** Each with a room of its own: more purges than all processes do at a time. */
const LANES = 16;
const PROCESSES = 3;
/** A share of it takes seconds. */
const PART = 4;
/** In a full run either side wins one race of so many, or they did not meet. */
const SELDOM = 20;
const PATIENCE_MS = 90_000;

async function runHolds(options: RunOptions): Promise<Outcome> {
  const { seed, isFull } = options;
  const units = isFull ? options.units : Math.ceil(options.units / PART);
  const chance = seededChance(seed);
  const server = new FaultServer({
    processes: PROCESSES,
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
          await races.race(lane, chance.between(25, 175) / 100);
        }
      }),
    );
    return races.outcome(units, isFull);
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
  #watch: PurgeWatch | undefined;
  #kept = 0;
  #gone = 0;
  #sent = 0;
  readonly #meeting = new Meeting();

  constructor(server: FaultServer) {
    this.#server = server;
  }

  async prepare(): Promise<void> {
    const officer = await new Client(this.#server).register("officer");
    this.#token = officer.token ?? "";
    officer.close();
    this.#sql = postgres(this.#server.databaseUrl(), { max: 4 });
    this.#watch = new PurgeWatch(this.#sql);
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

  /**
   * A purge, and a hold when what the purge destroys is about to go: what is there when that
   * is told of stays. What the last purge left is destroyed by this one too.
   */
  async race(lane: number, chance: number): Promise<void> {
    const roomId = this.#rooms[lane]!;
    await this.#say(lane);
    const point = await this.#say(lane);
    const purging = this.#ask(
      "POST",
      `/_synapse/admin/v1/purge_history/${encodeURIComponent(roomId)}/${encodeURIComponent(point)}`,
      { delete_local_events: true },
    );
    await pause(chance * this.#meeting.ms);
    const hold = await this.#ask("POST", "/_myelin/admin/v1/holds", {
      ...{ name: "a race", case_id: "proof", reason: "proof" },
      rooms: [roomId],
    });
    const before = await this.#read(roomId);
    const { purge_id: purgeId } = await purging;
    await this.#watch!.ended(String(purgeId));
    const after = await this.#read(roomId);
    const found = new Map(after.map(({ nid, bytes }) => [nid, bytes]));
    for (const { nid, bytes } of before)
      if (found.get(nid) !== bytes) this.#lost.push(`event ${nid}`);
    // What the purge ends before is there in any case.
    const isKept = after.length > 1;
    if (isKept) this.#kept += 1;
    else this.#gone += 1;
    this.#meeting.note(isKept);
    await this.#ask(
      "POST",
      `/_myelin/admin/v1/holds/${String(hold["hold_id"])}/release`,
      { reason: "proof" },
    );
  }

  outcome(units: number, isFull: boolean): Outcome {
    const counts = {
      races: units,
      "holds that came first": this.#kept,
      "purges that came first": this.#gone,
    };
    const least = isFull ? units / SELDOM : 0;
    const missed =
      Math.min(this.#kept, this.#gone) < least
        ? [`${this.#kept} holds and ${this.#gone} purges came first`]
        : [];
    return {
      counts,
      claims: {
        "nothing that was held is lost": tell(this.#lost),
        "neither side nearly always came first": missed,
      },
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

/** When after its beginning a purge destroys, so that a hold can come just then. */
class Meeting {
  /** Where one side comes first, the next hold comes so much later, or sooner. */
  static readonly #STEP = 1.05;
  ms = 50;

  note(isHoldFirst: boolean): void {
    const step = Meeting.#STEP;
    this.ms = isHoldFirst ? this.ms * step : Math.max(1, this.ms / step);
  }
}

/** Asks after all purges that are under way at once. */
class PurgeWatch {
  static readonly #EVERY_MS = 10;
  readonly #sql: postgres.Sql;
  readonly #waiting = new Map<string, (error?: Error) => void>();
  #isAsking = false;

  constructor(sql: postgres.Sql) {
    this.#sql = sql;
  }

  /** Resolves when a purge has done all that it does. */
  ended(purgeId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error("a purge does not end")),
        PATIENCE_MS,
      );
      this.#waiting.set(purgeId, (error) => {
        clearTimeout(late);
        if (error) reject(error);
        else resolve();
      });
      if (!this.#isAsking) void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.size > 0) {
      const ids = [...this.#waiting.keys()];
      const rows = await this.#endedAmong(ids);
      for (const { id, state } of rows) {
        const settle = this.#waiting.get(id);
        this.#waiting.delete(id);
        const isDone = state === "complete";
        settle?.(isDone ? undefined : new Error(`a purge is ${state}`));
      }
      await pause(PurgeWatch.#EVERY_MS);
    }
    this.#isAsking = false;
  }

  #endedAmong(
    ids: readonly string[],
  ): Promise<{ id: string; state: string }[]> {
    return this.#sql<{ id: string; state: string }[]>`
      select job_id as id, state from admin_jobs
      where job_id = any(${ids as string[]}) and state not in ('scheduled', 'active')`;
  }
}
