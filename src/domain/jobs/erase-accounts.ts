import type { Edges } from "../../edges.ts";
import { listDueErasures } from "../../storage/erasures.ts";
import { auditRecord } from "../admin/audit-record.ts";
import { erasureClaim } from "../admin/users/erasure-claim.ts";
import type { Job } from "./job.ts";

const AT_ONCE = 50;

/**
 * Erases accounts when nobody has taken it back in time. Each holds the key that taking it
 * back uses too, so of the two one happens, and it needs no lease for that.
 */
export const eraseAccounts: Job<
  Pick<Edges, "committer" | "db" | "now" | "random">
> = {
  name: "erase accounts",
  restMs: 60 * 1000,
  async step({ committer, db, now, random }) {
    const due = await listDueErasures(db, AT_ONCE);
    await Promise.all(
      due.map(({ userId, requestedBy, requestedTs }) =>
        committer.commit({
          positions: 1,
          idempotency: [{ key: erasureClaim(userId, requestedTs), answer: "" }],
          rows: { dueErasures: [{ userId, jobId: random.token(16) }] },
          audit: [
            auditRecord(
              {
                act: "users.erase",
                actor: "server",
                target: userId,
                details: { erased: true, requested_by: requestedBy },
              },
              now(),
            ),
          ],
        }),
      ),
    );
    return due.length === AT_ONCE;
  },
};
