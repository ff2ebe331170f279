import type { Edges } from "../../edges.ts";
import { readRetentionClock } from "../../storage/retention-due.ts";
import { deleteRemovedPolicies } from "../../storage/retention-policies.ts";
import {
  beginRetentionRun,
  hasRunLately,
  isAnythingDue,
  listRetentionStatus,
  rewindAddresses,
  setOverdue,
} from "../../storage/retention-runs.ts";
import { forgetSettledKeys } from "../../storage/retention-certificates.ts";
import { signCertificates } from "../admin/retention/certificates.ts";
import {
  readForcedPolicies,
  refreshRooms,
} from "../admin/retention/refresh-rooms.ts";
import { taskAlarmOf } from "../admin/tasks/task-alarm.ts";
import type { Job } from "./job.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const AT_ONCE = 5000;

/** In the time of the shortest policy: so late things go at the most. */
const RUNS = 24;

type Needs = Pick<
  Edges,
  | "auditKey"
  | "db"
  | "keyring"
  | "log"
  | "memory"
  | "now"
  | "random"
  | "settings"
>;

/**
 * Looks what the policies come to for each room, begins a run where something is due, soon
 * after the last where policies are short and at least each hour, and signs what runs have
 * destroyed. Without a policy nothing is done.
 */
export const keepRetention: Job<Needs> = {
  name: "keep retention",
  restMs: 60_000,
  async step(edges, lease) {
    const { db, log } = edges;
    await deleteRemovedPolicies(db, lease);
    if (await refreshRooms(edges, lease)) return true;
    if (await signCertificates(edges, lease)) return true;
    const { policies } = await readForcedPolicies(edges);
    if (policies.length === 0) return false;
    const clock = await readRetentionClock(db, edges.now());
    await rewindAddresses(db, lease, clock, DAY_MS);
    await forgetSettledKeys(db, lease, AT_ONCE);
    const status = await listRetentionStatus(db, clock);
    const overdueMs = Math.max(0, ...status.map((row) => row.overdueMs));
    await setOverdue(db, lease, overdueMs);
    if (overdueMs > DAY_MS)
      log.error({ overdueMs }, "What should be destroyed is a day late.");
    const shortest = policies.map(({ maxMs }) => maxMs ?? Infinity);
    const restMs = Math.min(HOUR_MS, ...shortest.map((ms) => ms / RUNS));
    const isDue =
      !(await hasRunLately(db, HOUR_MS)) ||
      (!(await hasRunLately(db, Math.floor(restMs))) &&
        (await isAnythingDue(db, clock)));
    if (isDue && (await beginRetentionRun(db, lease, edges.random.token(16))))
      taskAlarmOf(edges).ring();
    return false;
  },
};
