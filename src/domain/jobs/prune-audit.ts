import { PRUNING, signStatement } from "../../core/audit-statements.ts";
import type { Edges } from "../../edges.ts";
import { findNextRead, findToldSeq } from "../../storage/accesses.ts";
import { findDetectorPlace } from "../../storage/alerts.ts";
import { findDelivered } from "../../storage/audit-checkpoints.ts";
import { findPrunableEnd, prunePart } from "../../storage/audit-prunings.ts";
import { READS } from "../privacy/accesses.ts";
import type { Job } from "./job.ts";
import { AUDIT_WATCH } from "./watch-audit.ts";

type Needs = Pick<
  Edges,
  "audit" | "auditKey" | "committer" | "db" | "now" | "settings"
>;

const AT_ONCE = 500;

/**
 * Deletes what of the audit log is older than the settings have it kept, up to an end that
 * was signed and brought outside; a record says so first, which the log's key has signed.
 */
export const pruneAudit: Job<Needs> = {
  name: "prune audit log",
  restMs: 60 * 60 * 1000,
  async step(edges, lease) {
    if ((await prunePart(edges.db, lease, AT_ONCE)) > 0) return true;
    const { auditRetentionMs } = edges.settings;
    return auditRetentionMs !== undefined
      ? notePruning(edges, auditRetentionMs)
      : false;
  },
};

async function notePruning(edges: Needs, ageMs: number): Promise<boolean> {
  const { auditKey, committer, db, now, settings } = edges;
  const end = await findPrunableEnd(db, { ageMs, upTo: await findTold(edges) });
  if (!end) return false;
  const { seq, signedTs, fromSeq } = end;
  const { keyId, privateKey } = await auditKey.current();
  const signed = signStatement(
    PRUNING,
    {
      ...{ server: settings.serverName, key_id: keyId },
      ...{ from_seq: fromSeq, seq, signed_ts: signedTs },
      hash: Buffer.from(end.hash).toString("hex"),
    },
    privateKey,
  );
  await committer.commit({
    positions: 0,
    audit: [
      {
        ...{ ts: now(), action: PRUNING, result: "allowed" },
        actor: { kind: "server" },
        resource: { type: "audit" },
        after: { ...signed },
      },
    ],
  });
  return true;
}

/** Up to where everybody was told of the log who is to be. */
async function findTold({
  audit: { anchors, streams },
  db,
  settings,
}: Needs): Promise<number> {
  const sinks = [...anchors, ...streams.map(({ sink }) => sink)];
  const places = await Promise.all([
    ...sinks.map(({ name }) => findDelivered(db, name)),
    ...(settings.alerts ? [findDetectorPlace(db, AUDIT_WATCH)] : []),
    ...(settings.notifiesReads ? [findToldOfReads(db)] : []),
  ]);
  return Math.min(...places, Number.MAX_SAFE_INTEGER);
}

/** Users are told of what is read by others: up to the first that they were not. */
async function findToldOfReads(db: Edges["db"]): Promise<number> {
  const told = await findToldSeq(db);
  if (told === null) return 0;
  const next = await findNextRead(db, READS, told);
  return next ? next.seq - 1 : Number.MAX_SAFE_INTEGER;
}
