import type { Sql } from "./database.ts";
import { UnfitDatabaseError } from "./unfit-database.ts";

/**
 * Lets a role serve with the tables that the role of `owner` has made: it changes none of
 * them, and of the audit log nothing that stands in it.
 */
export async function letServe(owner: Sql, role: string): Promise<void> {
  await owner.begin(async (tx) => {
    // Nobody changes the tables meanwhile.
    await tx`select pg_advisory_xact_lock(hashtext('myelin migrations'))`;
    await tx`select let_serve(${role}::name)`;
  });
}

export async function findRole(sql: Sql): Promise<string> {
  const [row] = await sql<{ role: string }[]>`select current_user as role`;
  return row!.role;
}

/** Whether a role may still do what it must not. */
export async function assertMayServe(sql: Sql, role: string): Promise<void> {
  const [row] = await sql<{ mayChange: boolean }[]>`
    select has_table_privilege(${role}::name, 'audit_log', 'update, delete, truncate') as may_change`;
  if (!row!.mayChange) return;
  throw new UnfitDatabaseError(
    `The role ${role} may change the audit log: it owns the tables, or is a superuser. Have another role serve, in database.url.`,
  );
}
