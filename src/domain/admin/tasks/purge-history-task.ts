import {
  clearNotifications,
  listDoomed,
  purgeEvents,
  tellContentDestroyed,
} from "../../../storage/purge.ts";
import type { PagingKey } from "../../../storage/paging.ts";
import { OLDEST } from "../../rooms/paging-point.ts";
import { findRoomIdentity } from "../../rooms/room-identity.ts";
import { dropMediaOf } from "./drop-media.ts";
import { readParams, readProgress, type TaskKind } from "./task.ts";

export interface PurgeParams {
  before: PagingKey;
  deletesLocal: boolean;
}

export interface PurgeProgress {
  /** All up to here was looked at. */
  after: PagingKey;
  purged: number;
  /** What legal holds keep. */
  held: number;
}

/** With its content, words, thread and up to four media each, never more than 500 rows. */
const EVENTS_AT_ONCE = 60;
const NOTIFICATIONS_AT_ONCE = 400;

/** Destroys the contents of a room's history up to an event. */
export const purgeHistoryTask: TaskKind = {
  async step(edges, job, claim) {
    const { db, settings } = edges;
    const { before, deletesLocal } = readParams<PurgeParams>(job);
    const {
      after = OLDEST,
      purged = 0,
      held = 0,
    } = readProgress<PurgeProgress>(job);
    const room = await findRoomIdentity(edges, job.roomId ?? "");
    const range = {
      roomNid: room?.roomNid ?? 0,
      ...{ after, before },
      keptEnding: deletesLocal ? "" : `:${settings.serverName}`,
    };
    const events = await listDoomed(db, range, EVENTS_AT_ONCE);
    const last = events.at(-1);
    if (!last) {
      await tellContentDestroyed(db);
      return { progress: { after, purged, held }, next: "done" };
    }
    const doomed = events.filter(({ isKept }) => !isKept);
    const nids = doomed.flatMap(({ nid, isHeld }) => (isHeld ? [] : nid));
    while (
      (await clearNotifications(db, claim, nids, NOTIFICATIONS_AT_ONCE)) ===
      NOTIFICATIONS_AT_ONCE
    );
    const progress = {
      after: { depth: last.depth, arrival: last.arrival },
      purged: purged + nids.length,
      held: held + doomed.length - nids.length,
    };
    const text = JSON.stringify(progress);
    await dropMediaOf(edges, claim, nids);
    await purgeEvents(db, claim, nids, text);
    return { progress, next: "more" };
  },
};
