import type { Sql } from "./database.ts";

/** Decides a setting once for ever; answers what holds, ours or an earlier one. */
export async function settleServerSetting(
  sql: Sql,
  name: string,
  value: string,
): Promise<string> {
  await sql`
    insert into server_settings (name, value) values (${name}, ${value})
    on conflict (name) do nothing`;
  const [row] = await sql<{ value: string }[]>`
    select value from server_settings where name = ${name}`;
  return row!.value;
}
