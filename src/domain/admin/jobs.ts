import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { listJobs, type AdminJobState } from "../../storage/admin-jobs.ts";
import { listPendingErasures } from "../../storage/erasures.ts";
import {
  areJobsPaused,
  hasLease,
  listLeases,
} from "../../storage/job-control.ts";
import type { AdminJobKind } from "../../storage/write.ts";
import type { Administrator } from "./change-authority.ts";
import { commitAct, type ActEdges } from "./users/act.ts";

type Reads = Pick<Edges, "db">;

/** What runs in the background just now, and whether more may begin. */
export async function readJobs({
  db,
}: Reads): Promise<{ isEnabled: boolean; running: string[] }> {
  const [isPaused, leases] = await Promise.all([
    areJobsPaused(db),
    listLeases(db),
  ]);
  const running = leases.filter(({ isRunning }) => isRunning);
  return { isEnabled: !isPaused, running: running.map(({ name }) => name) };
}

export async function enableJobs(
  edges: ActEdges,
  by: Administrator,
  isEnabled: boolean,
): Promise<void> {
  const about = { target: "jobs", details: { enabled: isEnabled } };
  const rows = { jobPauses: [{ isPaused: !isEnabled }] };
  await commitAct(edges, by, about, { rows });
}

/** What other servers make anew by a job, and is never out of date here. */
const ALWAYS_CURRENT = [
  "populate_stats_process_rooms",
  "regenerate_directory",
  "event_resign",
];

/** Has a job done now that rests. */
export async function startJob(
  edges: Reads & ActEdges,
  by: Administrator,
  name: string,
): Promise<void> {
  const isKnown =
    ALWAYS_CURRENT.includes(name) || (await hasLease(edges.db, name));
  if (!isKnown) throw new MatrixError("M_UNKNOWN", "There is no such job.");
  const about = { target: "jobs", details: { started: name } };
  const rows = { jobPauses: [{ woken: name }] };
  await commitAct(edges, by, about, { rows });
}

/** Something that is to be done at a time to come, is being done, or was. */
export interface ScheduledTask {
  id: string;
  action: string;
  status: AdminJobState;
  timestamp: number;
  resourceId: string | null;
  error: string | null;
}

const MOST = 1000;

/** What another server calls it; what it has not is called as here. */
const ACTIONS: Partial<Record<AdminJobKind, string>> = {
  "delete-room": "shutdown_and_purge_room",
  "purge-history": "purge_history",
  "redact-user": "redact_all_events",
  "erase-user": "erase_user",
};

/** Erasures that can be taken back yet, and the tasks, the newest first. */
export async function listScheduledTasks({
  db,
}: Reads): Promise<ScheduledTask[]> {
  const [erasures, { jobs }] = await Promise.all([
    listPendingErasures(db, MOST),
    listJobs(db, {
      ...{ kind: null, state: null, roomId: null },
      ...{ limit: MOST, offset: 0, isDescending: true },
    }),
  ]);
  return [
    ...erasures.map(({ userId, dueTs }) => ({
      id: `erase ${userId}`,
      action: "erase_user",
      status: "scheduled" as const,
      timestamp: dueTs,
      resourceId: userId,
      error: null,
    })),
    ...jobs.map(({ jobId, kind, state, ...job }) => ({
      id: jobId,
      action: ACTIONS[kind] ?? kind.replaceAll("-", "_"),
      status: state,
      timestamp: job.endedTs ?? job.notBefore,
      resourceId: job.roomId ?? job.userId,
      error: job.error,
    })),
  ];
}
