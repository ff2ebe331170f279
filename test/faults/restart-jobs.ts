import type postgres from "postgres";
import type { FaultServer } from "./server.ts";

/** Kills all that serves, and has the next ones begin with what those held. */
export async function restartJobs(
  server: FaultServer,
  sql: postgres.Sql,
): Promise<void> {
  await server.killProcesses();
  await sql`delete from leases`;
  await sql`update admin_jobs set held_until = '-infinity' where state = 'active'`;
  await server.launch();
  await server.ready();
}
