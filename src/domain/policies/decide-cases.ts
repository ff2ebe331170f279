import type { Asker, Edges } from "../../edges.ts";
import {
  decide,
  type Doubt,
  type PolicyDecision,
  type PolicyEnvironment,
} from "../../core/policy/decide.ts";
import type {
  Attributes,
  NamedPolicy,
  PolicyAction,
} from "../../core/policy/document.ts";
import { factsWantedBy } from "../../core/policy/walk.ts";
import { listStandings, listUserFacts } from "../../storage/policy-facts.ts";
import { isWithin, parseIp, parseNetwork } from "../../util/ip-address.ts";
import { parseAttributes } from "./attributes.ts";
import { readRoomFacts } from "./room-facts.ts";
import { isDeviceVerified } from "./verified-device.ts";

export type DecidingEdges = Pick<Edges, "db" | "keyring" | "memory">;

/** How somebody comes; what is absent is not known. */
export interface CaseEnvironment {
  ip?: string;
  isVerified?: boolean;
  now: number;
}

/** Whether a user may do something. */
export interface PolicyCase {
  userId: string;
  action: PolicyAction;
  roomNid?: number;
  eventType?: string;
  permission?: string;
  env: CaseEnvironment;
}

const ALLOWED: PolicyDecision = { isAllowed: true };

/**
 * What policies say to each case, in order, with as many queries for any number of them.
 * Whatever is enforced, and whatever is tried, is decided here.
 */
export async function decideCases(
  edges: DecidingEdges,
  policies: readonly NamedPolicy[],
  cases: readonly PolicyCase[],
  doubt: Doubt = "deny",
): Promise<PolicyDecision[]> {
  const actions = new Set(cases.map(({ action }) => action));
  const meant = policies.filter(({ document }) =>
    document.rules.some((rule) => rule.actions.some((a) => actions.has(a))),
  );
  if (meant.length === 0) return cases.map(() => ALLOWED);
  const wanted = factsWantedBy(
    meant.map(({ document }) => document),
    (action) => actions.has(action),
  ).resource;
  const userIds = [...new Set(cases.map(({ userId }) => userId))];
  const roomNids = [...new Set(cases.flatMap(({ roomNid }) => roomNid ?? []))];
  const [users, rooms, standings] = await Promise.all([
    readUsers(edges, userIds),
    readRoomFacts(edges, roomNids, wanted),
    wanted.has("membership") ? listStandings(edges.db, userIds, roomNids) : [],
  ]);
  const membershipOf = new Map(
    standings.map((row) => [placeOf(row.userId, row.roomNid), row.membership]),
  );
  return cases.map(({ userId, action, roomNid = 0, env, ...of }) => {
    const membership = membershipOf.get(placeOf(userId, roomNid)) ?? "none";
    const resource: Attributes = {
      ...rooms.get(roomNid),
      ...(roomNid !== 0 && { membership }),
      ...(of.eventType !== undefined && { event_type: of.eventType }),
      ...(of.permission !== undefined && { permission: of.permission }),
    };
    const user = users.get(userId) ?? { id: userId, groups: [] };
    const facts = { user, resource, env: environmentOf(env) };
    return decide(meant, action, facts, doubt);
  });
}

const placeOf = (userId: string, roomNid: number) => `${roomNid} ${userId}`;

async function readUsers(
  { db }: DecidingEdges,
  userIds: readonly string[],
): Promise<Map<string, Attributes>> {
  const rows = await listUserFacts(db, userIds);
  return new Map(
    rows.map(({ userId, attributes, groups }) => [
      userId,
      { ...parseAttributes(attributes), id: userId, groups },
    ]),
  );
}

function environmentOf({
  ip,
  isVerified,
  now,
}: CaseEnvironment): PolicyEnvironment {
  return {
    now,
    isVerified,
    isWithin(networks) {
      if (ip === undefined) return undefined;
      const address = parseIp(ip);
      // Who comes by the socket has no address, and no network holds that.
      if (!address) return false;
      return networks.some((text) => {
        const network = parseNetwork(text);
        return network !== undefined && isWithin(address, network);
      });
    },
  };
}

/** How a user comes: known of who asks, and of nobody else. */
export async function readEnvironment(
  { db }: Pick<Edges, "db">,
  policies: readonly NamedPolicy[],
  asker: Asker | undefined,
  {
    userId,
    action,
    now,
  }: { userId: string; action: PolicyAction; now: number },
): Promise<CaseEnvironment> {
  if (asker?.userId !== userId) return { now };
  const { ip, deviceId } = asker;
  const documents = policies.map(({ document }) => document);
  const { device } = factsWantedBy(documents, (each) => each === action);
  return {
    now,
    ...(ip !== undefined && { ip }),
    ...(device && {
      isVerified: await isDeviceVerified({ db }, userId, deviceId),
    }),
  };
}
