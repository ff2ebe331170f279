import type { Edges } from "../../../edges.ts";
import {
  certificateText,
  signCertificate,
} from "../../../core/destruction-certificate.ts";
import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Lease } from "../../../storage/leases.ts";
import {
  findCertificate,
  finishCertificate,
  insertCertificate,
  listCertificates,
  listUncertified,
  listUnreadable,
  noteKeysGone,
  type CertificateRow,
  type UncertifiedRow,
} from "../../../storage/retention-certificates.ts";
import { findOldestEpoch, signUnreadableSince } from "../unreadable.ts";

type Needs = Pick<Edges, "auditKey" | "db" | "now" | "random" | "settings">;

const AT_ONCE = 50;

/** Signs what runs that have ended destroyed, and what no copy opens any more; whether there may be more. */
export async function signCertificates(
  edges: Needs,
  lease: Lease,
): Promise<boolean> {
  const { auditKey, db, random, settings } = edges;
  const ended = await listUncertified(db, AT_ONCE);
  const { keyId, privateKey } = await auditKey.current();
  for (const row of ended) {
    const certificateId = random.token(16);
    const document = certificateText({
      ...{ server: settings.serverName, certificate_id: certificateId },
      key_id: keyId,
      ...factsOf(row),
    });
    await insertCertificate(db, lease, {
      ...{ certificateId, document, keyId },
      ...{ jobId: row.jobId, policyId: row.policyId, goneTs: row.goneTs },
      signature: signCertificate(document, privateKey),
    });
  }
  await noteKeysGone(db, lease);
  const finished = await signUnreadable(edges, lease);
  return ended.length === AT_ONCE || finished === AT_ONCE;
}

const factsOf = (row: UncertifiedRow): JsonObject => ({
  run: row.jobId,
  policy_id: row.policyId,
  policy_version: row.policyVersion,
  policy: row.policy === null ? null : (JSON.parse(row.policy) as JsonObject),
  destroyed: JSON.parse(row.counts) as JsonObject,
  gone_ts: row.goneTs,
  keys: { of_a_span: row.spanKeys, of_longer_life: row.otherKeys },
  // What is ours to say, and what is not.
  limits: [
    "Copies on other servers and on users' devices are not covered.",
    "What younger messages quote, also what clients put before a reply, lives as long as those.",
    "User IDs, event IDs, room IDs and times of the events stay.",
    "What the tables hold in plain, old copies of them show: IDs, times, receipts, types of events, sizes and types of files. When nothing can be read any more is said of all else.",
    "Files are sealed under a key of their uploader and month, which is destroyed when that month is over and nothing of it is left.",
    ...(row.otherKeys > 0
      ? [
          "Old state, addresses of devices and what was sent later than asked for are sealed under keys that live as long as their room, member or user: until then old copies hold them.",
        ]
      : []),
  ],
});

async function signUnreadable(edges: Needs, lease: Lease): Promise<number> {
  const { db, settings } = edges;
  const key = await edges.auditKey.current();
  const rows = await listUnreadable(db, {
    horizonMs: settings.keyBackupMs,
    oldestEpoch: await findOldestEpoch(edges),
    limit: AT_ONCE,
  });
  for (const { certificateId, document } of rows) {
    await finishCertificate(db, lease, {
      certificateId,
      ...signUnreadableSince(edges, key, document),
    });
  }
  return rows.length;
}

export const searchCertificates = (
  { db }: Pick<Edges, "db">,
  search: Parameters<typeof listCertificates>[1],
): ReturnType<typeof listCertificates> => listCertificates(db, search);

/** @throws MatrixError M_NOT_FOUND */
export async function readCertificate(
  { db }: Pick<Edges, "db">,
  certificateId: string,
): Promise<CertificateRow> {
  const row = await findCertificate(db, certificateId);
  if (row) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no such certificate.");
}
