import type { AdminJobRow } from "../../../storage/admin-jobs.ts";
import { listAdminTokens } from "../../../storage/admin-tokens.ts";
import {
  listDeviceIds,
  removeAllDevices,
  removeDevices,
} from "../../accounts/close-session.ts";
import { auditRecord } from "../audit-record.ts";
import { wipesOf } from "../users/wipe-devices.ts";
import {
  readParams,
  readProgress,
  type TaskEdges,
  type TaskKind,
} from "./task.ts";

export interface EndSessionsParams {
  incidentId: string;
  /** Clients are to drop what they keep. */
  wipes: boolean;
  /** With the users' tokens of the admin API. */
  withTokens: boolean;
  /** Null for all devices. */
  users: { userId: string; deviceIds: readonly string[] | null }[];
}

interface Progress {
  /** How many of the users are done. */
  users: number;
  sessions: number;
}

const USERS_AT_ONCE = 10;

/** Ends sessions of many, each user's in a commit with its record; done again, it finds nothing. */
export const endSessionsTask: TaskKind = {
  async step(edges, job) {
    const params = readParams<EndSessionsParams>(job);
    const { users: done = 0, sessions = 0 } = readProgress<Progress>(job);
    const next = params.users.slice(done, done + USERS_AT_ONCE);
    const ended = await Promise.all(
      next.map((each) => endOf(edges, job, params, each)),
    );
    const progress: Progress = {
      users: done + next.length,
      sessions: ended.reduce((sum, count) => sum + count, sessions),
    };
    const isDone = progress.users >= params.users.length;
    return { progress, next: isDone ? "done" : "more" };
  },
};

/** Answers how many sessions there were to end. */
async function endOf(
  edges: TaskEdges,
  { jobId, createdBy }: AdminJobRow,
  { incidentId, wipes, withTokens }: EndSessionsParams,
  { userId, deviceIds }: EndSessionsParams["users"][number],
): Promise<number> {
  const tokens = withTokens ? await listAdminTokens(edges.db, userId) : [];
  const make = (doomed: readonly string[]) => {
    const details = {
      ...{ incident: incidentId, job: jobId },
      [wipes ? "wiped_devices" : "removed_devices"]: [...doomed],
      ...(withTokens && { admin_tokens: tokens.length }),
    };
    const act = "users.sessions.write" as const;
    const record = auditRecord(
      { act, actor: createdBy, target: userId, details },
      edges.now(),
    );
    const removedAdminTokens = tokens.map(({ tokenId }) => ({ tokenId }));
    const isAny = doomed.length > 0 || tokens.length > 0;
    const also = isAny ? { audit: [record], rows: { removedAdminTokens } } : {};
    return {
      ended: doomed.length,
      also: wipes ? wipesOf(edges, userId, doomed, createdBy, also).also : also,
    };
  };
  if (deviceIds === null) {
    const { ended } = await removeAllDevices(edges, userId, make);
    return ended + tokens.length;
  }
  const all = await listDeviceIds(edges, userId);
  const doomed = all.filter((each) => deviceIds.includes(each));
  if (doomed.length === 0 && tokens.length === 0) return 0;
  await removeDevices(edges, userId, doomed, make(doomed).also);
  return doomed.length + tokens.length;
}
