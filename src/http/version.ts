import { readFileSync } from "node:fs";
import { readJson } from "../core/json-reader.ts";

/** Beside the sources, or some folders above what was built of them. */
const readVersion = (folder: URL): string => {
  try {
    const text = readFileSync(new URL("package.json", folder), "utf8");
    return (readJson(text) as { version: string }).version;
  } catch {
    const above = new URL("../", folder);
    return above.href === folder.href ? "0" : readVersion(above);
  }
};

/** Of this program. */
export const VERSION = readVersion(new URL("./", import.meta.url));
