import type { Edges } from "../../edges.ts";
import {
  certificateText,
  signCertificate,
} from "../../core/destruction-certificate.ts";
import type { JsonObject } from "../../core/json.ts";
import type { AuditKey } from "../../storage/audit-key-source.ts";
import { epochOf } from "../../storage/secret-source.ts";
import { findSecretsRecord } from "../../storage/secrets-record.ts";

/** The oldest master key that there is; what older ones wrapped opens no more. */
export async function findOldestEpoch({
  db,
}: Pick<Edges, "db">): Promise<number> {
  const record = await findSecretsRecord(db);
  const epochs = Object.keys(record?.fingerprints ?? {}).flatMap(
    (name) => epochOf(name) ?? [],
  );
  return Math.min(...epochs, Number.MAX_SAFE_INTEGER);
}

/** A certificate once more, which says since when no copy can be read any more. */
export function signUnreadableSince(
  { now }: Pick<Edges, "now">,
  { keyId, privateKey }: Pick<AuditKey, "keyId" | "privateKey">,
  document: string,
) {
  const unreadableTs = now();
  const lastDocument = certificateText({
    ...(JSON.parse(document) as JsonObject),
    ...{ key_id: keyId, unreadable_ts: unreadableTs },
  });
  return {
    ...{ unreadableTs, lastDocument },
    lastSignature: signCertificate(lastDocument, privateKey),
  };
}
