import type { JobClaim } from "../../../storage/admin-jobs.ts";
import {
  dropDelayedEvents,
  dropMedia,
  dropPreviews,
  dropThumbnails,
  forgetAddresses,
  hasOldPreviews,
  listDevicesSeen,
  listDueMedia,
  type MediaClass,
  type MediaPlace,
} from "../../../storage/retention-media.ts";
import { deviceContext, openDetails } from "../../accounts/device-details.ts";
import { removeDroppedBlobs } from "../../media/remove-blobs.ts";
import type { TaskEdges } from "../tasks/task.ts";
import type { NamedPolicy } from "./choose-policy.ts";
import { readForcedPolicies } from "./refresh-rooms.ts";
import { isOfRooms } from "./policy.ts";

/** How far the policies that are not of rooms have come. */
export interface MediaProgress {
  /** The policy that is at. */
  policyId?: string;
  after?: MediaPlace;
}

/** With their thumbnails and what their uploaders have, never more than 500 rows. */
const MEDIA_AT_ONCE = 60;
const THUMBNAILS_AT_ONCE = 400;
const PREVIEWS_AT_ONCE = 60;
const DEVICES_AT_ONCE = 200;
const FIRST: MediaPlace = { createdTs: -1, mediaId: "" };

/** The next piece of what is not of a room; undefined where that was all. */
export async function expireMedia(
  edges: TaskEdges,
  claim: JobClaim,
  done: MediaProgress,
  clock: number,
): Promise<MediaProgress | undefined> {
  const policy = await findNext(edges, done.policyId);
  if (!policy) return undefined;
  const untilTs = clock - policy.maxMs;
  const here = policy.policyId;
  const after =
    done.policyId === here && done.after !== undefined ? done.after : FIRST;
  const next = await expireBy(edges, claim, policy, { untilTs, after });
  // The one after it, by its name.
  return next ? { policyId: here, after: next } : { policyId: `${here} ` };
}

/**
 * Policies of media and data in the order of their names, and the shortest one of rooms:
 * what pages said, and what was sent later than asked for, is in no room's rows.
 */
async function findNext(
  edges: TaskEdges,
  from = "",
): Promise<LimitedPolicy | undefined> {
  const { policies } = await readForcedPolicies(edges);
  const others = policies.filter(isLimited).filter((each) => !isOfRooms(each));
  const [shortest] = policies
    .filter(isLimited)
    .filter(isOfRooms)
    .sort((a, b) => a.maxMs - b.maxMs);
  if (shortest)
    others.push({ ...shortest, scope: { kind: "media", id: "url_preview" } });
  return others
    .sort((a, b) => (a.policyId < b.policyId ? -1 : 1))
    .find(({ policyId }) => policyId >= from);
}

type LimitedPolicy = NamedPolicy & { maxMs: number };

const isLimited = <P extends NamedPolicy>(
  policy: P,
): policy is P & LimitedPolicy => policy.maxMs !== null;

interface Stretch {
  untilTs: number;
  after: MediaPlace;
}

/** Answers where it goes on; undefined where nothing is left. */
async function expireBy(
  edges: TaskEdges,
  claim: JobClaim,
  policy: NamedPolicy,
  { untilTs, after }: Stretch,
): Promise<MediaPlace | undefined> {
  const { policyId, basis, scope } = policy;
  const byAccess = basis === "access";
  const { db } = edges;
  switch (scope.id) {
    case "attachment":
    case "avatar":
    case "emoji": {
      const rule = { mediaClass: scope.id as MediaClass, untilTs, byAccess };
      const due = await listDueMedia(db, rule, after, MEDIA_AT_ONCE);
      const order = {
        ...{ policyId, mediaIds: due.mediaIds, nids: null },
        keepsPictures: scope.id !== "attachment",
      };
      if (due.mediaIds.length > 0)
        await removeDroppedBlobs(edges, await dropMedia(db, claim, order));
      return due.next ?? undefined;
    }
    case "thumbnail": {
      const order = { policyId, untilTs, byAccess, limit: THUMBNAILS_AT_ONCE };
      const blobs = await dropThumbnails(db, claim, order);
      await removeDroppedBlobs(edges, blobs);
      return blobs.length === THUMBNAILS_AT_ONCE ? after : undefined;
    }
    case "url_preview": {
      const order = { policyId, untilTs, limit: PREVIEWS_AT_ONCE };
      await removeDroppedBlobs(edges, await dropPreviews(db, claim, order));
      const delayed = await dropDelayedEvents(db, claim, order);
      const isMore =
        delayed === PREVIEWS_AT_ONCE || (await hasOldPreviews(db, untilTs));
      return isMore ? after : undefined;
    }
    case "addresses":
      return (await expireAddresses(edges, claim, policyId, untilTs))
        ? after
        : undefined;
    // Of other servers' files nothing is kept here.
    default:
      return undefined;
  }
}

/** Where devices came from so long ago; whether there may be more. */
async function expireAddresses(
  edges: TaskEdges,
  claim: JobClaim,
  policyId: string,
  untilTs: number,
): Promise<boolean> {
  const { db, keyring } = edges;
  const devices = await listDevicesSeen(db, untilTs, DEVICES_AT_ONCE);
  const details = await openDetails(edges, devices);
  const sealed = await Promise.all(
    devices.map(async ({ userId, deviceId, sealed: before }, i) => {
      const {
        last_seen_ip: ip,
        last_seen_user_agent: agent,
        ...rest
      } = details[i]!;
      if (ip === undefined && agent === undefined) return [];
      const anew = await keyring.sealForUser(
        userId,
        deviceContext(userId, deviceId),
        JSON.stringify(rest),
      );
      return [{ userId, deviceId, before, ...anew }];
    }),
  );
  const isMore = devices.length === DEVICES_AT_ONCE;
  const upTo = isMore ? devices.at(-1)!.lastSeenTs : untilTs;
  await forgetAddresses(db, claim, policyId, sealed.flat(), upTo);
  return isMore;
}
