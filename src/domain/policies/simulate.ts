import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isRoomId, isUserId } from "../../core/ids.ts";
import { isCallEvent } from "../../core/policy/call-events.ts";
import type { PolicyDecision } from "../../core/policy/decide.ts";
import type {
  NamedPolicy,
  PolicyAction,
  PolicyDocument,
} from "../../core/policy/document.ts";
import { unescapeText } from "../../storage/json-text.ts";
import {
  listActivePolicies,
  listRecentActs,
  type RecentActRow,
} from "../../storage/policies.ts";
import { listRooms, listRoomsById } from "../../storage/rooms.ts";
import { decideCases, type PolicyCase } from "./decide-cases.ts";
import { assertSound, getVersion } from "./versions.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now" | "settings">;

/** What is tried in place of the version of a policy that is in force. */
export interface Trial {
  policyId: string;
  /** Of the policy; without a document. */
  version?: number;
  document?: PolicyDocument;
}

export interface TriedCase {
  userId: string;
  action: PolicyAction;
  roomId?: string;
  eventType?: string;
  permission?: string;
  ip?: string;
  isVerified?: boolean;
  ts?: number;
}

export interface TrialResult {
  case: TriedCase;
  /** By the policies that are in force. */
  now: PolicyDecision;
  /** By those that would be. */
  then: PolicyDecision;
}

/** Decides cases as they would be decided, by what decides them. */
export async function simulatePolicy(
  edges: Needs,
  trial: Trial,
  cases: readonly TriedCase[] | { last: number },
): Promise<TrialResult[]> {
  const document = await documentOf(edges, trial);
  const { policyId, version = 0 } = trial;
  const active = (await listActivePolicies(edges.db)).map((row) => ({
    ...row,
    document: JSON.parse(row.document) as PolicyDocument,
  }));
  const others = active.filter((policy) => policy.policyId !== policyId);
  const tried: NamedPolicy[] = [...others, { policyId, version, document }];
  const asked = "last" in cases ? await listReal(edges, cases.last) : cases;
  const known = await knownCases(edges, asked);
  const [now, then] = await Promise.all([
    decideCases(edges, active, known),
    decideCases(edges, tried, known),
  ]);
  return asked.map((of, i) => ({ case: of, now: now[i]!, then: then[i]! }));
}

async function documentOf(
  edges: Needs,
  { policyId, version, document }: Trial,
): Promise<PolicyDocument> {
  if (document) {
    assertSound(document);
    return document;
  }
  if (version !== undefined)
    return (await getVersion(edges, policyId, version)).document;
  throw new MatrixError(
    "M_MISSING_PARAM",
    'A trial names a "version" of the policy, or a "document".',
  );
}

async function knownCases(
  edges: Needs,
  cases: readonly TriedCase[],
): Promise<PolicyCase[]> {
  for (const { userId, roomId } of cases)
    if (!isUserId(userId) || (roomId !== undefined && !isRoomId(roomId)))
      throw new MatrixError(
        "M_INVALID_PARAM",
        "A case names a user id, and a room id where it is of a room.",
      );
  const roomIds = [...new Set(cases.flatMap(({ roomId }) => roomId ?? []))];
  const rooms = await listRoomsById(edges.db, roomIds);
  const nidOf = new Map(rooms.map((room) => [room.roomId, room.roomNid]));
  const nowTs = edges.now();
  return cases.map(({ userId, action, roomId, ts = nowTs, ...of }) => {
    const roomNid = roomId === undefined ? undefined : nidOf.get(roomId);
    if (roomId !== undefined && roomNid === undefined)
      throw new MatrixError("M_NOT_FOUND", `There is no room ${roomId} here.`);
    const { ip, isVerified, eventType, permission } = of;
    return {
      ...{ userId, action },
      ...(roomNid !== undefined && { roomNid }),
      ...(eventType !== undefined && { eventType }),
      ...(permission !== undefined && { permission }),
      env: {
        now: ts,
        ...(ip !== undefined && { ip }),
        ...(isVerified !== undefined && { isVerified }),
      },
    };
  });
}

/** What people of this server did last. */
async function listReal(
  { db, settings }: Needs,
  last: number,
): Promise<TriedCase[]> {
  const acts = await listRecentActs(db, settings.serverName, last);
  const rooms = await listRooms(db, [
    ...new Set(acts.map(({ roomNid }) => roomNid)),
  ]);
  const idOf = new Map(rooms.map((room) => [room.roomNid, room.roomId]));
  return acts.map((act) => {
    const eventType = unescapeText(act.type);
    const action = actionOf(act, eventType);
    const isSent = action === "send" || action === "call";
    return {
      ...{ userId: act.userId, action, roomId: idOf.get(act.roomNid)! },
      ...(isSent && { eventType }),
    };
  });
}

function actionOf(act: RecentActRow, eventType: string): PolicyAction {
  if (eventType === "m.room.member" && act.isOwnMember) return "join";
  if (eventType === "m.room.member" && act.membership === "invite")
    return "invite";
  return isCallEvent(eventType) ? "call" : "send";
}
