import {
  PERSONAL_TABLES,
  type PersonalTable,
} from "../../src/domain/privacy/personal-tables.ts";
import { listColumns, type ColumnRow } from "./describe-schema.ts";
import type { TestServer } from "./server.ts";

type Seeded = Pick<TestServer, "database" | "edges">;

/** What a column may hold that checks and foreign keys are particular about. */
const PARTICULAR: Readonly<Record<string, Readonly<Record<string, unknown>>>> =
  {
    cross_signing_keys: { usage: "master" },
    known_places: { kind: "network" },
    alerts: { severity: "low" },
    privacy_requests: { kind: "access", state: "open" },
    third_party_ids: { medium: "email" },
    push_modes: { mode: "rows" },
    pushers: { kind: "http" },
    role_bindings: { scope_kind: "server" },
    reports: { position: 1 },
    delayed_events: { finalised_ts: 1 },
    user_group_members: { group_id: "seeded" },
    consents: { policy: "terms" },
    import_rows: { state: "made" },
    campaign_members: { campaign_id: "seeded" },
  };

/** Whoever is in a room has rows of these. */
const THERE = ["users", "memberships", "stays"];

const ofType = (type: string, tag: string): unknown => {
  if (type === "bytea") return `\\x${Buffer.from(tag).toString("hex")}`;
  if (type === "boolean") return false;
  if (type.endsWith("[]")) return "{}";
  if (type.startsWith("timestamp")) return "2020-01-01";
  return type === "text" ? tag : 1;
};

/** What stands sealed in the row that `seedPersonal` made of a user in a table. */
export const canaryOf = (userId: string, table: string): string =>
  `a canary of ${userId} in ${table}`;

/**
 * Has every table that holds something of persons hold something of this one.
 * @param tag tells its rows from other users'
 */
export async function seedPersonal(
  server: Seeded,
  userId: string,
  roomNid: number,
  tag: string,
): Promise<void> {
  const { sql } = server.database;
  await sql`
    insert into user_groups (group_id, description, created_by, created_ts) values ('seeded', '', '', 1)
    on conflict do nothing`;
  await sql`
    insert into campaigns (campaign_id, name, job_id, audience_kind, audience_id, content, reminder, most_reminders,
      closes_ts, created_by, created_ts)
    values ('seeded', '', 'seeded', 'all', '', '{}', '{}', 0, 1, '', 1)
    on conflict do nothing`;
  const columns = await listColumns(sql);
  const first = ["devices", "role_bindings"];
  const parents = PERSONAL_TABLES.filter(({ table }) => first.includes(table));
  const others = PERSONAL_TABLES.filter(({ table }) => !THERE.includes(table));
  for (const place of [...parents, ...others]) {
    const own = columns.filter(({ table }) => table === place.table);
    await seedRow(server, place, own, { userId, roomNid, tag });
  }
}

async function seedRow(
  { database: { sql }, edges }: Seeded,
  place: PersonalTable,
  columns: readonly ColumnRow[],
  { userId, roomNid, tag }: { userId: string; roomNid: number; tag: string },
): Promise<void> {
  const { table, of } = place;
  const isSealed = (column: ColumnRow) => column.class === "sealed";
  const values = Object.fromEntries(
    columns.flatMap((column) => {
      const name = column.column;
      const particular = PARTICULAR[table]?.[name];
      const value =
        name === of
          ? userId
          : name === "room_nid"
            ? roomNid
            : name === "device_id"
              ? `DEVICE${tag}`
              : (particular ??
                (isNumberKey(place, column) ? numberOf(tag) : undefined));
      if (value !== undefined) return [[name, value]];
      if (!isSealed(column) && (!column.notNull || column.default !== null))
        return [];
      return [[name, ofType(column.type, tag)]];
    }),
  );
  await sql`
    insert into ${sql(table)} as seeded overriding system value
    select * from jsonb_populate_record(null::${sql(table)}, ${JSON.stringify(
      withDefaults(columns, values),
    )}::text::jsonb)
    on conflict do nothing`;
  const sealed = columns.find(isSealed);
  if (!sealed || !place.opens) return;
  const keyColumn = sealed.column === "sealed" ? "key_id" : "status_key";
  const rows = await sql<{ place: string; text: string }[]>`
    select ctid::text as place, to_jsonb(t)::text as text from ${sql(table)} t where ${sql(of)} = ${userId}`;
  for (const { place: at, text } of rows) {
    const row = JSON.parse(text) as Record<string, unknown>;
    const made = await edges.keyring.sealForUser(
      userId,
      place.opens(row),
      JSON.stringify({
        [place.tells?.[0] ?? "canary"]: canaryOf(userId, table),
      }),
    );
    await sql`
      update ${sql(table)} set ${sql(sealed.column)} = ${made.sealed}, ${sql(keyColumn)} = ${made.keyId}
      where ctid = ${at}::text::tid`;
  }
}

const isNumberKey = ({ key }: PersonalTable, { column, type }: ColumnRow) =>
  key.includes(column) && /^(?:big)?int/.test(type);

const numberOf = (tag: string): number =>
  1_000_000 + [...tag].reduce((sum, sign) => sum * 31 + sign.charCodeAt(0), 7);

/** A row is inserted whole: what has a default needs a value here. */
function withDefaults(
  columns: readonly ColumnRow[],
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const simple: Record<string, unknown> = {};
  for (const { column, type, notNull } of columns)
    if (notNull && values[column] === undefined)
      simple[column] = ofType(type, "");
  return { ...simple, ...values };
}
