import { MatrixError } from "../../../core/errors.ts";
import type { Edges } from "../../../edges.ts";
import { recordOf, type ActingAdministrator } from "../administrator.ts";
import { notAllowed } from "../refusal.ts";
import { listBeyond } from "../hold-over.ts";
import type { EndSessionsParams } from "../tasks/end-sessions-task.ts";
import { taskAlarmOf } from "../tasks/task-alarm.ts";
import { assertAccounts } from "../users/assert-accounts.ts";
import { readIncident } from "./incidents.ts";

type Needs = Pick<Edges, "committer" | "db" | "memory" | "now" | "random">;

export interface SessionsToEnd {
  /** All sessions of a user where no device is named. */
  sessions: readonly { userId: string; deviceId?: string }[];
  /** Clients are to drop what they keep. */
  wipes: boolean;
  /** With the users' tokens of the admin API. */
  withTokens: boolean;
}

/**
 * Ends sessions of many, in a task whose records name the incident.
 * @throws MatrixError M_NOT_FOUND, M_BAD_STATE, M_FORBIDDEN
 */
export async function endSessions(
  edges: Needs,
  by: ActingAdministrator,
  incidentId: string,
  { sessions, wipes, withTokens }: SessionsToEnd,
): Promise<{ jobId: string; users: number }> {
  const incident = await readIncident(edges, incidentId);
  if (incident.state === "closed")
    throw new MatrixError("M_BAD_STATE", "This incident is closed.");
  const devices = devicesByUser(sessions);
  await assertMayEnd(edges, by, [...devices.keys()]);
  const params: EndSessionsParams = {
    ...{ incidentId, wipes, withTokens },
    users: [...devices].map(([userId, deviceIds]) => ({ userId, deviceIds })),
  };
  const jobId = edges.random.token(16);
  const { userId: createdBy } = by.actor;
  await edges.committer.commit({
    positions: 1,
    activeUsers: [createdBy],
    rows: {
      adminJobs: [
        {
          ...{ jobId, kind: "end-sessions", createdBy, waitMs: 0 },
          ...{ roomId: null, userId: null, params: JSON.stringify(params) },
        },
      ],
    },
    audit: [
      {
        ...recordOf(by, "", edges.now(), {
          ...{ job: jobId, users: devices.size, wipe: wipes },
          admin_tokens: withTokens,
        }),
        resource: { type: "incidents", id: `incident ${incidentId}` },
      },
    ],
  });
  taskAlarmOf(edges).ring();
  return { jobId, users: devices.size };
}

/** Null for all devices of a user. */
function devicesByUser(
  sessions: SessionsToEnd["sessions"],
): Map<string, string[] | null> {
  const devices = new Map<string, string[] | null>();
  for (const { userId, deviceId } of sessions) {
    const known = devices.get(userId);
    if (deviceId === undefined || known === null) devices.set(userId, null);
    else devices.set(userId, [...(known ?? []), deviceId]);
  }
  return devices;
}

async function assertMayEnd(
  edges: Pick<Edges, "db">,
  { actor, requester }: ActingAdministrator,
  userIds: readonly string[],
): Promise<void> {
  await assertAccounts(edges, userIds, "Each user_id must be a user ID.");
  const { permission } = actor;
  const beyond = await listBeyond(edges, requester, permission, userIds);
  if (beyond.length > 0)
    throw notAllowed(
      permission,
      `Over ${beyond[0]!} this takes somebody with more power.`,
    );
}
