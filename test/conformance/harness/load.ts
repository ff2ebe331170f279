import { readdirSync } from "node:fs";
import { listRows, type Row } from "./registry.ts";

/** Loads every file of rows, which register themselves. */
export async function loadRows(): Promise<Row[]> {
  const folder = new URL("../rows/", import.meta.url);
  const files = readdirSync(folder).filter((file) => /\.(js|ts)$/.test(file));
  for (const file of files.toSorted()) await import(new URL(file, folder).href);
  return listRows();
}
