import { writeFile } from "node:fs/promises";
import { createPublicKey, type KeyObject } from "node:crypto";
import { exportAudit } from "../../src/domain/admin/export-audit.ts";
import type { Edges } from "../../src/edges.ts";

/** Writes the audit log into a file, as an auditor takes it away. */
export async function exportTo(
  edges: Pick<Edges, "db" | "keyring" | "settings">,
  path: string,
): Promise<string> {
  const order = { format: "ndjson", fromSeq: 1, question: {} } as const;
  const parts: string[] = [];
  for await (const text of await exportAudit(edges, order)) parts.push(text);
  await writeFile(path, parts.join(""));
  return parts.join("");
}

export const publicKeyOf = async ({
  auditKey,
}: Pick<Edges, "auditKey">): Promise<KeyObject> =>
  createPublicKey((await auditKey.current()).privateKey);
