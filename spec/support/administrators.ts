import { sideOf, type Permission } from "../../src/domain/admin/permissions.ts";
import type { TestServer, TestUser } from "./server.ts";

interface BindingOf {
  scopeKind?: "server" | "group" | "space" | "room" | "users";
  scopeId?: string;
  users?: readonly string[];
  /** From now, by the database's time. */
  expiresInMs?: number;
}

/** The server gives out smaller ones. */
const FIRST_ID = 1_000_000_000;

/** Binds a role to a user as the first administrators get theirs; answers the binding's number. */
export async function bindRole(
  { database: { sql } }: Pick<TestServer, "database">,
  userId: string,
  roleId: string,
  binding: BindingOf = {},
): Promise<number> {
  const { scopeKind = "server", scopeId = "", users = [] } = binding;
  const { expiresInMs = null } = binding;
  const [row] = await sql<{ bindingId: number }[]>`
    with bound as (
      insert into role_bindings (binding_id, user_id, role_id, scope_kind, scope_id, expires_ts, reason, granted_by, granted_ts)
      select coalesce(max(binding_id), ${FIRST_ID}) + 1, ${userId}, ${roleId}, ${scopeKind}, ${scopeId},
        database_ms() + ${expiresInMs}::bigint, 'for a spec', 'a spec', 1
      from role_bindings where binding_id > ${FIRST_ID}
      returning binding_id)
    select binding_id from bound`;
  const { bindingId } = row!;
  for (const named of users)
    await sql`insert into binding_users (binding_id, user_id) values (${bindingId}, ${named})`;
  await sql`update authority set version = version + 1`;
  return bindingId;
}

/** Somebody with a role for the whole server. */
export async function administrator(
  server: TestServer,
  localpart: string,
  roleId: string,
): Promise<TestUser> {
  const user = await server.user(localpart);
  await bindRole(server, user.userId, roleId);
  return user;
}

/** A role that holds just these permissions. */
export async function customRole(
  { database: { sql } }: Pick<TestServer, "database">,
  roleId: string,
  permissions: readonly Permission[],
): Promise<void> {
  await sql`
    insert into custom_roles (role_id, description, permissions, side, created_by, changed_ts)
    values (${roleId}, 'for a spec', ${permissions as string[]}, ${sideOf(permissions)!}, 'a spec', 1)`;
  await sql`update authority set version = version + 1`;
}
