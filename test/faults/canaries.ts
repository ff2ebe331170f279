import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type postgres from "postgres";

/** Which files of a folder, and of all below it, hold one of these texts. */
export function findInFiles(
  folder: string,
  texts: readonly string[],
): { file: string; text: string }[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => {
    if (!entry.isFile()) return [];
    const file = join(entry.parentPath, entry.name);
    const bytes = readFileSync(file);
    return texts
      .filter((text) => bytes.includes(text))
      .map((text) => ({ file: file.slice(folder.length + 1), text }));
  });
}

/** Which tables hold one of these texts, as a dump of all would have them. */
export async function findInDump(
  sql: postgres.Sql,
  texts: readonly string[],
): Promise<{ table: string; text: string }[]> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' order by 1`;
  const found: { table: string; text: string }[] = [];
  for (const { name } of tables) {
    const rows = await sql<{ row: string }[]>`
      select t::text as row from ${sql(name)} t`;
    const dump = rows.map(({ row }) => row).join("\n");
    for (const text of texts) {
      // Bytes are dumped as hexadecimal digits.
      const digits = Buffer.from(text).toString("hex");
      if (dump.includes(text) || dump.includes(digits))
        found.push({ table: name, text });
    }
  }
  return found;
}
