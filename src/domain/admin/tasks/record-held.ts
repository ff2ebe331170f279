import { createHash } from "node:crypto";
import type { AdminJobRow } from "../../../storage/admin-jobs.ts";
import type { AdminJobKind } from "../../../storage/write.ts";
import { auditRecord } from "../audit-record.ts";
import type { Permission } from "../permissions.ts";
import type { TaskEdges } from "./task.ts";

/** What the tasks that holds stop are the carrying out of. */
const ACTS: Readonly<Partial<Record<AdminJobKind, Permission>>> = {
  "delete-room": "rooms.delete",
  "erase-user": "privacy.erase",
};

/** That a task has begun to wait for a hold is recorded once, also where a process died at it. */
export async function recordHeld(
  { committer, now }: Pick<TaskEdges, "committer" | "now">,
  { jobId, kind, roomId, userId, notBefore, createdBy }: AdminJobRow,
): Promise<void> {
  const act = ACTS[kind];
  if (act === undefined) return;
  const key = createHash("sha256")
    .update(JSON.stringify(["a task is held", jobId, notBefore]))
    .digest()
    .subarray(0, 16);
  const record = auditRecord(
    {
      ...{ act, actor: "server", target: roomId ?? userId ?? jobId },
      details: { job: jobId, held: true, requested_by: createdBy },
    },
    now(),
  );
  await committer.commit({
    positions: 0,
    idempotency: [{ key, answer: "" }],
    audit: [{ ...record, result: "denied" }],
  });
}
