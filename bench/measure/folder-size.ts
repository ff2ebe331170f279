import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { StoredBytes } from "./database-size.ts";

const BLOCK_BYTES = 512;

/** What a folder takes on disk, for servers that keep their data in files. */
export function readFolderSize(folder: string): StoredBytes {
  const total = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => {
      const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
      return (stat?.blocks ?? 0) * BLOCK_BYTES;
    })
    .reduce((sum, bytes) => sum + bytes, 0);
  return { total, tables: new Map() };
}
