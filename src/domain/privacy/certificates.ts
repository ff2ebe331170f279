import type { Edges } from "../../edges.ts";
import {
  certificateText,
  signCertificate,
} from "../../core/destruction-certificate.ts";
import { MatrixError } from "../../core/errors.ts";
import type { AdminJobRow, JobClaim } from "../../storage/admin-jobs.ts";
import {
  findErasureCertificate,
  finishErasureCertificate,
  insertErasureCertificate,
  listErased,
  listUnreadableErasures,
  type ErasureCertificateRow,
} from "../../storage/erasure-certificates.ts";
import type { Lease } from "../../storage/leases.ts";
import { LIMITS } from "./plan-erasure.ts";
import { findOldestEpoch, signUnreadableSince } from "../admin/unreadable.ts";

/** Not a thing that was destroyed, but the epoch of the master key that wrapped its keys. */
const EPOCH = "master epoch";

/** Signs what an erasure has destroyed. It verifies with the key of the audit log alone. */
export async function certifyErasure(
  {
    auditKey,
    db,
    now,
    random,
    settings,
  }: Pick<Edges, "auditKey" | "db" | "now" | "random" | "settings">,
  claim: JobClaim,
  { jobId, userId, createdBy, createdTs }: AdminJobRow,
  requestedTs: number,
): Promise<void> {
  const erased = await listErased(db, jobId);
  const { keyId, privateKey } = await auditKey.current();
  const certificateId = random.token(16);
  const goneTs = now();
  const document = certificateText({
    ...{ server: settings.serverName, certificate_id: certificateId },
    ...{ key_id: keyId, run: jobId, user_id: userId ?? "" },
    ...{ requested_by: createdBy, requested_ts: requestedTs },
    ...{ begun_ts: createdTs, gone_ts: goneTs },
    destroyed: Object.fromEntries(
      erased.flatMap(({ what, count }) =>
        what === EPOCH ? [] : [[what, count]],
      ),
    ),
    limits: [...LIMITS],
  });
  await insertErasureCertificate(db, claim, {
    ...{ certificateId, goneTs, document, keyId },
    userId: userId ?? "",
    masterEpoch: erased.find(({ what }) => what === EPOCH)?.count ?? null,
    signature: signCertificate(document, privateKey),
  });
}

const AT_ONCE = 50;

/** Signs of erasures that no copy of the database opens any more what they destroyed. */
export async function signUnreadable(
  edges: Pick<Edges, "auditKey" | "db" | "now" | "settings">,
  lease: Lease,
): Promise<boolean> {
  const { db, settings } = edges;
  const key = await edges.auditKey.current();
  const rows = await listUnreadableErasures(db, {
    horizonMs: settings.keyBackupMs,
    oldestEpoch: await findOldestEpoch(edges),
    limit: AT_ONCE,
  });
  for (const { certificateId, document } of rows) {
    await finishErasureCertificate(db, lease, {
      certificateId,
      ...signUnreadableSince(edges, key, document),
    });
  }
  return rows.length === AT_ONCE;
}

/** @throws MatrixError M_NOT_FOUND */
export async function readErasureCertificate(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<ErasureCertificateRow> {
  const row = await findErasureCertificate(db, userId);
  if (row) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no certificate of that user.");
}
