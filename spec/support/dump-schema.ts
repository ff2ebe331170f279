import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findMigrationsFolder } from "../../src/storage/migrate.ts";
import { describeSchema } from "./describe-schema.ts";
import { openTemplate, stopServer } from "./database.ts";

const sql = await openTemplate();
try {
  const file = join(findMigrationsFolder(), "current.sql");
  await writeFile(file, await describeSchema(sql));
} finally {
  await sql.end();
  await stopServer();
}
