import postgres from "postgres";
import { setTimeout as pause } from "node:timers/promises";
import { ChainVerifier } from "../../src/core/audit-chain.ts";
import { Client } from "./client.ts";
import { KILLS, planKills } from "./kills.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { seededChance } from "./random.ts";
import { FaultServer } from "./server.ts";

/** G1: an act of an administrator has its effect if, and only if, it has its record. */
export const audit: ProofCase = {
  name: "audit",
  unit: "kill -9 while administrators act",
  fullUnits: 200,
  unitsPerRun: 20,
  run: runAudit,
};

const ADMINISTRATORS = 6;
const A = "/_myelin/admin/v1";
/** Whoever asks on and on takes from a server that starts what it starts with. */
const REST_MS = 100;

async function runAudit({ seed, units }: RunOptions): Promise<Outcome> {
  const chance = seededChance(seed);
  const server = new FaultServer({
    environment: { MYELIN_LISTENERS_ADMIN_ON_CLIENT_LISTENER: "true" },
  });
  const acts = new Acts(server);
  try {
    await server.start();
    await acts.prepare();
    const working = acts.begin();
    for (const kill of planKills(KILLS, chance, units)) {
      await acts.progress(4);
      await pause(chance.between(0, 60));
      await kill.run(server, chance);
      if (chance.below(5) > 0) await server.ready();
    }
    await server.ready();
    await acts.progress(4);
    acts.end();
    await working;
    return await acts.check();
  } finally {
    acts.end();
    await server.remove();
  }
}

/** Administrators who make groups and read roles, whatever becomes of the server. */
class Acts {
  readonly #server: FaultServer;
  #tokens: string[] = [];
  readonly #made = new Set<string>();
  #tried = 0;
  #reads = 0;
  #answers = 0;
  #isEnded = false;

  constructor(server: FaultServer) {
    this.#server = server;
  }

  async prepare(): Promise<void> {
    const clients: Client[] = [];
    for (let i = 0; i < ADMINISTRATORS; i += 1) {
      const client = new Client(this.#server);
      clients.push(await client.register(`administrator${i}`));
      client.close();
    }
    this.#tokens = clients.map(({ token }) => token ?? "");
    await this.#ask(async (sql) => {
      for (const [i, { userId }] of clients.entries())
        await sql`
          insert into role_bindings (binding_id, user_id, role_id, scope_kind, reason, granted_by, granted_ts)
          values (${i + 1}, ${userId}, 'security-admin', 'server', 'for the proof', 'the proof', 1)`;
    });
  }

  async begin(): Promise<void> {
    await Promise.all(this.#tokens.map((token) => this.#work(token)));
  }

  end(): void {
    this.#isEnded = true;
  }

  /** Waits until so many more were answered. */
  async progress(answers: number): Promise<void> {
    const wanted = this.#answers + answers;
    const end = performance.now() + 90_000;
    while (this.#answers < wanted && performance.now() < end) await pause(5);
    if (this.#answers < wanted) throw new Error("nothing is answered any more");
  }

  async #work(token: string): Promise<void> {
    while (!this.#isEnded) {
      const name = `group-${(this.#tried += 1)}`;
      const body = { group_id: name, description: "" };
      if (await this.#call(token, "POST", "/groups", body))
        this.#made.add(name);
      if (await this.#call(token, "GET", "/roles")) this.#reads += 1;
    }
  }

  /** Whether it was answered well. What was not is not asked again: it may have been done. */
  async #call(
    token: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<boolean> {
    try {
      const answer = await fetch(`${this.#server.url}${A}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, connection: "close" },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(8_000),
      });
      await answer.arrayBuffer();
      if (answer.status === 200) {
        this.#answers += 1;
        return true;
      }
    } catch {
      // It was killed.
    }
    await pause(REST_MS);
    return false;
  }

  async check(): Promise<Outcome> {
    const { groups, rows } = await this.#ask(async (sql) => ({
      groups: await sql<{ id: string }[]>`
        select group_id as id from user_groups`,
      rows: await sql<Row[]>`
        select seq::float8 as seq, record, encode(prev_hash, 'hex') as "prevHash", encode(hash, 'hex') as hash,
          (facts).action, (facts).result, ((facts).resource).id
        from audit_log order by audit_log.seq`,
    }));
    const allowed = rows.filter(({ result }) => result === "allowed");
    const recorded = new Map<string, number>();
    for (const { action, id } of allowed)
      if (action === "groups.write")
        recorded.set(id, (recorded.get(id) ?? 0) + 1);
    const there = new Set(groups.map(({ id }) => id));
    const reads = allowed.filter(({ action }) => action === "roles.read");
    const verifier = new ChainVerifier();
    for (const row of rows) verifier.follow(row);
    const { fault, last } = verifier.end();
    const notIn = (names: Iterable<string>, others: ReadonlySet<string>) =>
      tell([...names].filter((name) => !others.has(name)));
    return {
      counts: {
        "acts tried": this.#tried,
        "acts answered": this.#made.size,
        effects: there.size,
        records: rows.length,
      },
      claims: {
        "every effect has its record": notIn(there, new Set(recorded.keys())),
        "every record has its effect": notIn(recorded.keys(), there),
        "none has two": tell(
          [...recorded].filter(([, times]) => times > 1).map(([name]) => name),
        ),
        "what was answered was done": notIn(this.#made, there),
        "no answer of a read left before its record":
          reads.length >= this.#reads
            ? []
            : [`${this.#reads} answers, ${reads.length} records`],
        "the chain has no gap and no fork":
          fault === undefined && last === rows.length
            ? []
            : [
                `at ${fault?.seq ?? last}: ${fault?.why ?? "records are missing"}`,
              ],
      },
    };
  }

  async #ask<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const url = this.#server.databaseUrl();
    const sql = postgres(url, { max: 1, onnotice: () => undefined });
    try {
      return await work(sql);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

interface Row {
  seq: number;
  record: string;
  prevHash: string;
  hash: string;
  action: string;
  result: string;
  id: string;
}
