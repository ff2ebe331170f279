import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { AuditSink } from "../util/audit-sinks.ts";

/** A file that is only added to; what was taken is on disk. */
export const createAnchorFile = (path: string): AuditSink => ({
  name: `file ${path}`,
  async take(lines) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "a", 0o600);
    try {
      await file.appendFile(lines.map(({ text }) => `${text}\n`).join(""));
      await file.sync();
    } finally {
      await file.close();
    }
  },
});
