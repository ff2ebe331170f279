import type { Edges } from "../../../edges.ts";
import type { Lease } from "../../../storage/leases.ts";
import { listForcedPolicies } from "../../../storage/retention-policies.ts";
import {
  listStaleRooms,
  markWithinSpaces,
  saveRetainedRooms,
} from "../../../storage/retention-rooms.ts";
import { choosePolicy, type NamedPolicy } from "./choose-policy.ts";
import { isOfRooms, readPolicy } from "./policy.ts";
import { readRetainedRooms, readSpaces } from "./room-facts.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

const AT_ONCE = 500;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Where less is kept than so long, keys last a day. */
export const DAILY_BELOW_MS = 60 * DAY_MS;

/** Policies in force, those of rooms and the others. */
export async function readForcedPolicies({ db }: Pick<Edges, "db">): Promise<{
  policies: (NamedPolicy & { version: number })[];
  madeOf: string;
}> {
  const { policies, madeOf } = await listForcedPolicies(db);
  return {
    madeOf,
    policies: policies.map(({ policyId, active, activeVersion }) => ({
      ...readPolicy(active),
      policyId,
      version: activeVersion,
    })),
  };
}

/** Notes what the policies come to for some of the rooms that have changed; whether there may be more. */
export async function refreshRooms(
  edges: Needs,
  lease: Lease,
): Promise<boolean> {
  const { policies, madeOf } = await readForcedPolicies(edges);
  const ofRooms = policies.filter(isOfRooms);
  if (ofRooms.length === 0) return false;
  const stale = await listStaleRooms(edges.db, madeOf, AT_ONCE);
  if (stale.length === 0) return false;
  const spacesOf = await readSpaces(edges, ofRooms);
  const rooms = await readRetainedRooms(edges, stale, spacesOf);
  const versions = new Map(
    policies.map((each) => [each.policyId, each.version]),
  );
  const rows = stale.map(({ roomNid, stateVersion }, i) => {
    const found = choosePolicy(ofRooms, rooms[i]!);
    const maxMs = found?.maxMs ?? null;
    return {
      ...{ roomNid, stateVersion, maxMs },
      policyId: found?.policy.policyId ?? null,
      policyVersion: versions.get(found?.policy.policyId ?? "") ?? null,
      redacts: found?.policy.redacts ?? false,
      dropsReceipts: found?.policy.dropsReceipts ?? false,
      hasDailyKeys: maxMs !== null && maxMs < DAILY_BELOW_MS,
    };
  });
  await saveRetainedRooms(edges.db, lease, madeOf, rows);
  const hasSpaces = ofRooms.some(({ scope }) => scope.kind === "space");
  if (hasSpaces) await markChanged(edges, lease, stale);
  return stale.length === AT_ONCE;
}

/** What lies within a space that has changed may be within others now. */
const markChanged = (
  { db }: Needs,
  lease: Lease,
  stale: readonly { roomNid: number; isChanged: boolean }[],
): Promise<void> =>
  markWithinSpaces(
    db,
    lease,
    stale.flatMap(({ roomNid, isChanged }) => (isChanged ? roomNid : [])),
  );
