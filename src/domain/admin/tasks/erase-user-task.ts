import { createHash } from "node:crypto";
import { findUser } from "../../../storage/users.ts";
import {
  eraseEvents,
  eraseKeys,
  eraseMedia,
  eraseRows,
  type EraseVerdict,
} from "../../../storage/erasure-steps.ts";
import {
  listOwnEvents,
  type OwnEventsPlace,
} from "../../../storage/personal-rows.ts";
import { tellContentDestroyed } from "../../../storage/purge.ts";
import { finishDeactivation } from "../../accounts/deactivate.ts";
import { removeDroppedBlobs } from "../../media/remove-blobs.ts";
import { auditRecord } from "../audit-record.ts";
import { certifyErasure } from "../../privacy/certificates.ts";
import { PERSONAL_TABLES } from "../../privacy/personal-tables.ts";
import {
  readParams,
  readProgress,
  TaskFailed,
  type StepEnd,
  type TaskKind,
} from "./task.ts";

export interface ErasureParams {
  requestedTs: number;
}

interface Progress {
  phase: "leaving" | "keys" | "events" | "media" | "rows" | "certificate";
  /** Up to where the user's rooms were looked through. */
  after: OwnEventsPlace;
  /** The place of the table in the list of those that go. */
  table: number;
}

/** With content, words, mentions and notifications of each. */
const EVENTS_AT_ONCE = 60;
const LOOKED_AT = 5_000;
/** With their blobs and the thumbnails of those. */
const MEDIA_AT_ONCE = 60;
const ROWS_AT_ONCE = 400;

const doomedTables = PERSONAL_TABLES.filter(
  ({ staysSince }) => staysSince === undefined,
);

/** The end of an erasure is told once, also where a process died at it. */
const claimOf = (jobId: string): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["erasure certified", jobId]))
    .digest()
    .subarray(0, 16);

/** Destroys what a user has here: the keys first, then all that they sealed, then the files. */
export const eraseUserTask: TaskKind = {
  async step(edges, job, claim) {
    const { db } = edges;
    const userId = job.userId ?? "";
    const {
      phase = "leaving",
      after = { roomNid: 0, position: -1 },
      table = 0,
    } = readProgress<Progress>(job);
    /** Goes on where the step was let do its work. */
    const unlessHeld = (verdict: EraseVerdict, next: object): StepEnd => {
      const here = readProgress<Progress>(job);
      if (verdict === "held") return { progress: here, next: "held" };
      return { progress: verdict === "more" ? here : next, next: "more" };
    };

    switch (phase) {
      case "leaving": {
        const user = await findUser(db, userId);
        if (!user?.isDeactivated)
          throw new TaskFailed("This account is in use: it is not erased.");
        await finishDeactivation(edges, userId);
        return { progress: { phase: "keys" }, next: "more" };
      }
      case "keys": {
        const verdict = await eraseKeys(db, claim, userId);
        return unlessHeld(verdict, { phase: "events" });
      }
      case "events": {
        const { nids, reached } = await listOwnEvents(db, {
          ...{ userId, after, withState: false },
          ...{ lookedAt: LOOKED_AT, limit: EVENTS_AT_ONCE },
        });
        const verdict =
          nids.length === 0 ? "go" : await eraseEvents(db, claim, userId, nids);
        if (reached) return unlessHeld(verdict, { phase, after: reached });
        await tellContentDestroyed(db);
        return unlessHeld(verdict, { phase: "media" });
      }
      case "media": {
        const { verdict, blobs } = await eraseMedia(
          ...([db, claim, userId, MEDIA_AT_ONCE] as const),
        );
        await removeDroppedBlobs(
          edges,
          blobs.filter((blobId) => blobId !== ""),
        );
        const isDone = blobs.length < MEDIA_AT_ONCE;
        return unlessHeld(verdict, { phase: isDone ? "rows" : "media" });
      }
      case "rows": {
        const place = doomedTables[table];
        if (!place) return { progress: { phase: "certificate" }, next: "more" };
        const { verdict, count } = await eraseRows(
          ...([db, claim, userId, place, ROWS_AT_ONCE] as const),
        );
        const isDone = count < ROWS_AT_ONCE;
        return unlessHeld(verdict, {
          phase,
          table: isDone ? table + 1 : table,
        });
      }
      case "certificate": {
        const { requestedTs } = readParams<ErasureParams>(job);
        await certifyErasure(edges, claim, job, requestedTs);
        await edges.committer.commit({
          positions: 0,
          idempotency: [{ key: claimOf(job.jobId), answer: "" }],
          audit: [
            auditRecord(
              {
                ...{ act: "privacy.erase", actor: "server" },
                target: `erasure ${job.jobId}`,
                details: { certified: true, requested_by: job.createdBy },
              },
              edges.now(),
            ),
          ],
        });
        return { progress: { phase }, next: "done" };
      }
    }
  },
};
