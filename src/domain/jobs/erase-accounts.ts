import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import {
  listDueErasures,
  listHeldErasures,
  type ErasureRow,
} from "../../storage/erasures.ts";
import { deactivateAccount, type LeaverEdges } from "../accounts/deactivate.ts";
import { auditRecord } from "../admin/audit-record.ts";
import { erasureClaim } from "../admin/users/erasure-claim.ts";
import type { Job } from "./job.ts";

const AT_ONCE = 50;

type Needs = LeaverEdges & Pick<Edges, "random">;

/**
 * Erases accounts when nobody has taken it back in time. Each holds the key that taking it
 * back uses too, so of the two one happens, and it needs no lease for that.
 */
export const eraseAccounts: Job<Needs> = {
  name: "erase accounts",
  restMs: 60 * 1000,
  async step(edges) {
    const [held, due] = await Promise.all([
      listHeldErasures(edges.db, AT_ONCE),
      listDueErasures(edges.db, AT_ONCE),
    ]);
    await Promise.all([
      ...held.map((erasure) => recordHeld(edges, erasure)),
      ...due.map((erasure) => erase(edges, erasure)),
    ]);
    return held.length === AT_ONCE || due.length === AT_ONCE;
  },
};

async function erase(
  edges: Needs,
  { userId, requestedBy, requestedTs, isEnding }: ErasureRow,
): Promise<void> {
  const { committer, log, now, random } = edges;
  const write = {
    idempotency: [{ key: erasureClaim(userId, requestedTs), answer: "" }],
    rows: { dueErasures: [{ userId, jobId: random.token(16) }] },
    audit: [
      auditRecord(
        {
          ...{ act: "users.erase" as const, actor: "server", target: userId },
          details: { erased: true, requested_by: requestedBy },
        },
        now(),
      ),
    ],
  };
  if (!isEnding) {
    await committer.commit({ positions: 1, ...write });
    return;
  }
  await deactivateAccount(edges, { userId }, false, write).catch(
    (err: unknown) => {
      // It was taken back just now, or another process has done it; or it has to wait.
      log.warn({ err, userId }, "An account was not ended.");
    },
  );
}

const recordHeld = (
  { committer, now }: Needs,
  { userId, requestedBy, requestedTs }: ErasureRow,
) =>
  committer.commit({
    positions: 1,
    idempotency: [{ key: heldClaim(userId, requestedTs), answer: "" }],
    rows: { heldErasures: [{ userId }] },
    audit: [
      {
        ...auditRecord(
          {
            ...{ act: "users.erase", actor: "server", target: userId },
            details: { held: true, requested_by: requestedBy },
          },
          now(),
        ),
        result: "denied",
      },
    ],
  });

const heldClaim = (userId: string, requestedTs: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["erasure held", userId, requestedTs]))
    .digest()
    .subarray(0, 16);
