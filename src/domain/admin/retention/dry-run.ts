import type { Edges } from "../../../edges.ts";
import { listRoomsAfter } from "../../../storage/retention-rooms.ts";
import {
  countDueMedia,
  countDueOfRooms,
  countOldDevices,
  countOldPreviews,
  countOldThumbnails,
  type DueCounts,
} from "../../../storage/retention-trials.ts";
import { readRetentionClock } from "../../../storage/retention-due.ts";
import { recordOf, type ActingAdministrator } from "../administrator.ts";
import { choosePolicy, type NamedPolicy } from "./choose-policy.ts";
import { getPolicy } from "./policies.ts";
import { isOfRooms, readPolicy } from "./policy.ts";
import { readForcedPolicies } from "./refresh-rooms.ts";
import { readRetainedRooms, readSpaces } from "./room-facts.ts";

type Needs = Pick<Edges, "committer" | "db" | "keyring" | "memory" | "now">;

const ROOMS_AT_ONCE = 500;

/** What a draft would destroy if it were in force now. */
export interface Trial {
  version: number;
  clock: number;
  /** Rooms that it would be the policy of. */
  rooms: number;
  /** By what it is of. */
  counts: Record<string, number>;
}

/** Counts what the draft would destroy, beside the other policies, and notes that it was shown. */
export async function tryPolicy(
  edges: Needs,
  by: ActingAdministrator,
  policyId: string,
): Promise<Trial> {
  const { committer, db, now } = edges;
  const { version, draft } = await getPolicy(db, policyId);
  const policy: NamedPolicy = { ...readPolicy(draft), policyId };
  const clock = await readRetentionClock(db, now());
  const { rooms, counts } = isOfRooms(policy)
    ? await tryOnRooms(edges, policy, clock)
    : { rooms: 0, counts: await tryOnFiles(edges, policy, clock) };
  await committer.commit({
    positions: 1,
    rows: { retentionTrials: [{ policyId, version }] },
    audit: [recordOf(by, `retention ${policyId}`, now(), { version, counts })],
  });
  return { version, clock, rooms, counts };
}

async function tryOnRooms(
  edges: Needs,
  draft: NamedPolicy,
  clock: number,
): Promise<Pick<Trial, "rooms" | "counts">> {
  const { policies: forced } = await readForcedPolicies(edges);
  const policies: NamedPolicy[] = [
    ...forced.filter(
      (each) => isOfRooms(each) && each.policyId !== draft.policyId,
    ),
    draft,
  ];
  const spacesOf = await readSpaces(edges, policies);
  const counts: DueCounts = {
    ...{ messages: 0, state: 0, media: 0, receipts: 0, held: 0 },
  };
  let touched = 0;
  let after = 0;
  for (;;) {
    const rooms = await listRoomsAfter(edges.db, after, ROOMS_AT_ONCE);
    const last = rooms.at(-1);
    if (!last) return { rooms: touched, counts: { ...counts } };
    const facts = await readRetainedRooms(edges, rooms, spacesOf);
    const ours = rooms.flatMap(({ roomNid }, i) => {
      const found = choosePolicy(policies, facts[i]!);
      return found?.policy === draft ? [{ roomNid, maxMs: found.maxMs }] : [];
    });
    touched += ours.length;
    const due = ours.flatMap(({ roomNid, maxMs }) =>
      maxMs === null ? [] : [{ roomNid, untilTs: clock - maxMs }],
    );
    const some = await countDueOfRooms(edges.db, due, draft.dropsReceipts);
    for (const name of Object.keys(counts) as (keyof DueCounts)[])
      counts[name] += some[name];
    after = last.roomNid;
  }
}

async function tryOnFiles(
  { db }: Needs,
  { scope, basis, maxMs }: NamedPolicy,
  clock: number,
): Promise<Record<string, number>> {
  if (maxMs === null) return {};
  const untilTs = clock - maxMs;
  const byAccess = basis === "access";
  switch (scope.id) {
    case "thumbnail":
      return { thumbnails: await countOldThumbnails(db, untilTs, byAccess) };
    case "url_preview":
      return { previews: await countOldPreviews(db, untilTs) };
    case "addresses":
      return { addresses: await countOldDevices(db, untilTs) };
    default:
      return { media: await countDueMedia(db, scope.id, untilTs, byAccess) };
  }
}
