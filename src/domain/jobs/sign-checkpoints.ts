import {
  ChainVerifier,
  signCheckpoint,
  type Checkpoint,
} from "../../core/audit-chain.ts";
import type { Edges } from "../../edges.ts";
import {
  findLastCheckpoint,
  insertCheckpoint,
  listLinks,
} from "../../storage/audit-checkpoints.ts";
import { findAuditRow } from "../../storage/audit-log.ts";
import { linkOf, signedOf } from "../admin/checkpoints.ts";
import type { Job } from "./job.ts";

/** How many records one checkpoint vouches for at the most. */
const RECORDS = 1000;

/**
 * Signs the end of the audit log, each 1,000 records and at least each minute. What does
 * not follow from the last checkpoint is not signed: somebody wrote it into the table.
 */
export const signCheckpoints: Job<
  Pick<Edges, "auditKey" | "db" | "log" | "now" | "settings">
> = {
  name: "sign audit checkpoints",
  restMs: 25_000,
  isNeverPaused: true,
  async step({ auditKey, db, log, now, settings }, lease) {
    const { serverName: server } = settings;
    const last = await findLastCheckpoint(db);
    const rows = await listLinks(db, last?.seq ?? 0, RECORDS);
    const before = last && (await findAuditRow(db, last.seq));
    const verifier = new ChainVerifier(
      undefined,
      last ? [signedOf(last, server)] : [],
    );
    for (const row of before ? [before, ...rows] : rows)
      verifier.follow(linkOf(row));
    const { fault } = verifier.end();
    if (fault) {
      log.error(fault, "The audit log was changed: its end is not signed.");
      return false;
    }
    const end = rows.at(-1);
    if (!end) return false;
    // Not before the records were read: the key that one of them names signs it.
    const { keyId, privateKey } = await auditKey.current();
    const { seq, hash } = linkOf(end);
    const checkpoint: Checkpoint = { server, seq, hash, ts: now(), keyId };
    const { signature } = signCheckpoint(checkpoint, privateKey);
    await insertCheckpoint(db, lease, {
      ...checkpoint,
      hash: end.hash,
      signature: Buffer.from(signature, "base64"),
    });
    return rows.length === RECORDS;
  },
};
