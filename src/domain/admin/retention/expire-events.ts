import { MatrixError } from "../../../core/errors.ts";
import type { JobClaim } from "../../../storage/admin-jobs.ts";
import { listEventHeads } from "../../../storage/events.ts";
import { clearNotifications } from "../../../storage/purge.ts";
import {
  addTally,
  expireEvents as expire,
  listEditsOf,
  type DueEvent,
} from "../../../storage/retention-due.ts";
import { dropMedia, listMediaNamed } from "../../../storage/retention-media.ts";
import { groupBy } from "../../../util/group-by.ts";
import { removeDroppedBlobs } from "../../media/remove-blobs.ts";
import { isLocalUser } from "../../rooms/local-user.ts";
import { redactionOf } from "../../rooms/redaction-proposal.ts";
import { mapRoomIdentities } from "../../rooms/room-identity.ts";
import { writeToRoom } from "../../rooms/room-writer.ts";
import type { TaskEdges } from "../tasks/task.ts";

export interface ExpiringEvent extends DueEvent {
  policyId: string;
  redacts: boolean;
}

const EDITS_AT_ONCE = 100;
const MEDIA_AT_ONCE = 60;
const NOTIFICATIONS_AT_ONCE = 400;

export interface Expired {
  /** How many events, edits too. */
  gone: number;
  /** Not all of them were: there were too many edits, or too much that goes with them. */
  isLeft: boolean;
}

/** Destroys what events say, their edits, and the files that nothing else names. */
export async function expireEvents(
  edges: TaskEdges,
  claim: JobClaim,
  events: readonly ExpiringEvent[],
): Promise<Expired> {
  const edits = await listEditsOf(edges.db, events, EDITS_AT_ONCE);
  const policyId = events[0]?.policyId ?? "";
  if (edits.length > 0) {
    await dropFiles(edges, claim, policyId, edits);
    await clear(edges, claim, edits);
    const count = await expire(edges.db, claim, edits);
    // There may be more of them, which go before what they are edits of.
    if (count > 0 && (edits.length === EDITS_AT_ONCE || count < edits.length))
      return { gone: count, isLeft: true };
  }
  const nids = events.map(({ nid }) => nid);
  await dropFiles(edges, claim, policyId, nids);
  const redacted = await redactSome(edges, claim, events);
  await clear(edges, claim, nids);
  const gone = redacted + (await expire(edges.db, claim, nids));
  return { gone, isLeft: gone > 0 && gone < nids.length };
}

async function clear(
  { db }: TaskEdges,
  claim: JobClaim,
  nids: readonly number[],
): Promise<void> {
  while (
    (await clearNotifications(db, claim, nids, NOTIFICATIONS_AT_ONCE)) ===
    NOTIFICATIONS_AT_ONCE
  );
}

/** Before the events, so that nothing is left behind where a process dies. */
async function dropFiles(
  edges: TaskEdges,
  claim: JobClaim,
  policyId: string,
  nids: readonly number[],
): Promise<void> {
  const { db } = edges;
  const mediaIds = await listMediaNamed(db, nids);
  for (let from = 0; from < mediaIds.length; from += MEDIA_AT_ONCE) {
    const some = mediaIds.slice(from, from + MEDIA_AT_ONCE);
    const order = { policyId, mediaIds: some, nids, keepsPictures: true };
    await removeDroppedBlobs(edges, await dropMedia(db, claim, order));
  }
}

/**
 * Has clients drop it too, where the policy says so and whoever said it can take it back.
 * Answers how many there were.
 */
async function redactSome(
  edges: TaskEdges,
  claim: JobClaim,
  events: readonly ExpiringEvent[],
): Promise<number> {
  const wanted = events.filter(
    ({ redacts, type, sender }) =>
      redacts &&
      type !== "m.room.redaction" &&
      isLocalUser(edges.settings, sender),
  );
  if (wanted.length === 0) return 0;
  const heads = await listEventHeads(
    edges.db,
    wanted.map(({ nid }) => nid),
  );
  const shown = heads.filter(
    ({ status, stateKey, redactedBy, position }) =>
      status === 0 &&
      stateKey === null &&
      redactedBy === null &&
      position !== null,
  );
  const rooms = await mapRoomIdentities(
    edges,
    shown.map(({ roomNid }) => roomNid),
  );
  const sent = await Promise.all(
    shown.map(async (head) => {
      const { roomNid, sender } = head;
      const proposal = redactionOf(rooms.get(roomNid)!.rules, sender, head, {
        reason: "retention",
      });
      try {
        await writeToRoom(edges, roomNid, [proposal]);
        return head.nid;
      } catch (error) {
        // Who has left can send nothing: it goes without.
        if (!(error instanceof MatrixError)) throw error;
        return 0;
      }
    }),
  );
  const done = new Set(sent);
  const taken = wanted.filter(({ nid }) => done.has(nid));
  const byPolicy = groupBy(taken, ({ policyId }) => policyId);
  for (const [policyId, { length: count }] of byPolicy)
    await addTally(edges.db, claim, { policyId, what: "redactions", count });
  return taken.length;
}
