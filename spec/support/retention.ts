import { expect } from "chai";
import { keepRetention } from "../../src/domain/jobs/keep-retention.ts";
import { endLease, takeLease } from "../../src/storage/leases.ts";
import { must } from "./rooms.ts";
import type { Json, TestProcess, TestServer, TestUser } from "./server.ts";
import { doTasks } from "./tasks.ts";

const POLICIES = "/_myelin/admin/v1/retention/policies";
export const DAY_MS = 86_400_000;

/** Drafts, tries and activates a policy, and answers what the trial counted. */
export async function putInForce(
  admin: TestUser,
  policyId: string,
  document: Json,
): Promise<Json> {
  const drafted = must(await admin.put(`${POLICIES}/${policyId}`, document));
  const tried = must(await admin.post(`${POLICIES}/${policyId}/dry-run`));
  const version = drafted["version"];
  const active = must(
    await admin.post(`${POLICIES}/${policyId}/activate`, { version }),
  );
  expect(active["active_version"]).to.equal(version);
  return tried["counts"] as Json;
}

/** One tick of the job, whoever had it before. */
export async function tick({ edges }: Pick<TestProcess, "edges">) {
  await edges.db`delete from leases where name = ${keepRetention.name}`;
  await edges.db`update admin_jobs set created_ts = 0 where kind = 'retention'`;
  const lease = await takeLease(edges.db, keepRetention.name, 60_000);
  while (await keepRetention.step(edges, lease!));
  await endLease(edges.db, lease!, 0);
}

/** What the policies in force say is over is gone after it. */
export async function keepThem(server: TestProcess): Promise<void> {
  await tick(server);
  await doTasks(server);
}

/** Makes what was said in rooms, or all of it, so much older. */
export async function age(
  { database: { sql } }: Pick<TestServer, "database">,
  ms: number,
  roomId: string | null = null,
): Promise<void> {
  await sql`
    update events set origin_server_ts = origin_server_ts - ${ms}::bigint, received_ts = received_ts - ${ms}::bigint
    where ${roomId}::text is null or room_nid = (select room_nid from rooms where room_id = ${roomId})`;
}

/** Tables in which a text stands, in plain or in bytes, each with how often. */
export async function findText(
  { database: { sql } }: Pick<TestServer, "database">,
  text: string,
): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' order by 1`;
  const hex = Buffer.from(text).toString("hex");
  const found: string[] = [];
  for (const { name } of tables) {
    const [row] = await sql<{ count: number }[]>`
      select count(*) as count from ${sql(name)} t
      where position(${text} in t::text) > 0 or position(${hex} in t::text) > 0`;
    if (row!.count > 0) found.push(name);
  }
  return found;
}
