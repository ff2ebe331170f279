import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { useDatabase } from "../support/database.ts";

/** What legal holds are of, and where it may be kept besides. */
const TABLES = [
  "events",
  "event_contents",
  "media",
  "media_references",
  "keys",
  "account_data",
  "profile_fields",
  "key_backups",
  "backed_up_keys",
  "reports",
];
const KEPT = ["held_contents", "held_references", "held_data"];

/** Everything that destroys some of it. The database asks the holds for each row, whoever deletes it. */
const KNOWN: readonly string[] = [
  "schema/db/0002-commit.sql: delete from event_contents",
  "schema/db/0002-commit.sql: delete from events",
  "schema/db/0003-store-rows.sql: delete from account_data",
  "schema/db/0003-store-rows.sql: delete from event_contents",
  "schema/db/0003-store-rows.sql: delete from media",
  "schema/db/0003-store-rows.sql: delete from media_references",
  "schema/db/0003-store-rows.sql: delete from profile_fields",
  "schema/db/0004-encryption.sql: delete from backed_up_keys",
  "schema/db/0015-rooms-admin.sql: delete from media",
  "schema/db/0015-rooms-admin.sql: delete from reports",
  // What nothing holds any more.
  "schema/db/0016-holds.sql: delete from held_contents",
  "schema/db/0016-holds.sql: delete from held_data",
  "schema/db/0016-holds.sql: delete from held_references",
  // What another hold is of is that one's from then on.
  "schema/db/0016-holds.sql: update held_contents",
  "schema/db/0017-retention.sql: delete from event_contents",
  "schema/db/0017-retention.sql: delete from keys",
  "schema/db/0017-retention.sql: delete from media",
  "schema/db/0017-retention.sql: delete from media_references",
  "schema/db/0021-privacy.sql: delete from event_contents",
  "schema/db/0021-privacy.sql: delete from keys",
  "schema/db/0021-privacy.sql: delete from media",
  "schema/db/0021-privacy.sql: delete from media_references",
  "src/storage/key-backups.ts: delete from backed_up_keys",
  "src/storage/key-backups.ts: delete from key_backups",
  "src/storage/keys.ts: delete from keys",
  // Such as nobody uploaded to.
  "src/storage/media.ts: delete from media",
  "src/storage/purge.ts: delete from account_data",
  "src/storage/purge.ts: delete from event_contents",
  "src/storage/purge.ts: delete from events",
  "src/storage/purge.ts: delete from keys",
  "src/storage/purge.ts: delete from media",
  "src/storage/purge.ts: delete from media_references",
  "src/storage/url-previews.ts: delete from media",
];

async function listFiles(folder: string, ending: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith(ending) && name !== "current.sql")
    .map((name) => join(folder, name));
}

describe("deletions", () => {
  const database = useDatabase();

  it("G6: of what may be held are all known", async () => {
    const named = [...TABLES, ...KEPT].join("|");
    const statement = new RegExp(
      String.raw`\b(delete from|truncate(?: table)?|drop table|update(?= (?:event_contents|held_contents)\b)) (${named})\b`,
      "gi",
    );
    const found = new Set<string>();
    const files = [
      ...(await listFiles("src", ".ts")),
      ...(await listFiles("schema/db", ".sql")),
    ];
    for (const file of files) {
      const text = await readFile(file, "utf8");
      for (const [, verb, table] of text.matchAll(statement))
        found.add(`${file}: ${verb} ${table}`.toLowerCase());
      expect(text, file).to.not.match(
        /disable trigger|session_replication_role|no force/i,
      );
    }
    expect([...found].sort()).to.deep.equal([...KNOWN].sort());
  });

  it("G6: of any such row ask the holds, in the transaction that deletes it", async () => {
    const rows = await database.sql<{ table: string; source: string }[]>`
      select c.relname as table, p.prosrc as source
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
      where t.tgname like '%\_keep\_held' and t.tgenabled = 'O' and t.tgtype & 11 = 11`;
    expect(rows.map(({ table }) => table).sort()).to.deep.equal(
      [...TABLES].sort(),
    );
    for (const { source } of rows)
      expect(source.trim()).to.match(
        /^begin\s+perform lock_against_holds\(\);[\s\S]+is_\w+_held\(old/,
      );
  });
});
