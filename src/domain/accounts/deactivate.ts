import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { UserId } from "../../core/ids.ts";
import { listLastingHolders, readAuthority } from "../../storage/authority.ts";
import type { RecordedWrite, Write } from "../../storage/write.ts";
import { SECURITY_ADMIN } from "../admin/roles.ts";
import { makeAnew } from "../rooms/make-anew.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";
import { deleteAllKeyBackups } from "../../storage/key-backups.ts";
import { deletePresence } from "../../storage/presence.ts";
import { leaveRoom } from "../rooms/membership.ts";
import type { WriterEdges } from "../rooms/room-writer.ts";
import {
  listDeviceIds,
  logOutEverywhere,
  removeDevices,
} from "./close-session.ts";
import { forgetFailures } from "./password-failures.ts";

export type LeaverEdges = WriterEdges & Pick<Edges, "notifier">;

/** What commits with the end of an account. */
type Also = Pick<RecordedWrite, "audit" | "idempotency" | "rows">;

/**
 * Ends an account for good: nobody can log in to it, its user id is never given
 * out again, and all that was stored for it goes, besides its events.
 * @param isErased whether who comes later shall see its events redacted
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate
 */
export async function deactivateAccount(
  edges: LeaverEdges,
  { userId }: { userId: string },
  isErased: boolean,
  also: Also = {},
): Promise<void> {
  await makeAnew(() => endAccount(edges, userId, isErased, also));
  // A login may have been under way; from here on none can succeed.
  await logOutEverywhere(edges, userId);
  await deletePresence(edges.db, userId);
  await finishDeactivation(edges, userId);
}

async function endAccount(
  edges: LeaverEdges,
  userId: string,
  isErased: boolean,
  { rows = {}, ...also }: Also,
): Promise<void> {
  const authority = await guardGranters(edges, userId);
  const changes = {
    isDeactivated: true,
    isEnding: false,
    passwordHash: null,
    ...(isErased && { isErased }),
  };
  await removeDevices(edges, userId, await listDeviceIds(edges, userId), {
    ...also,
    ...(authority && { authority }),
    rows: {
      ...rows,
      userUpdates: [{ userId, ...changes }],
      clearedUsers: [{ userId }],
      // Cross-signing keys go too, whatever devices there are.
      deviceListChanges: [{ at: 0, userId }],
    },
  });
}

/**
 * Somebody has to be left who can grant: what is compared when it commits, for one of
 * those who can.
 * @throws MatrixError M_FORBIDDEN for the last one
 */
export async function guardGranters(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<Write["authority"]> {
  const { version, isSealed } = await readAuthority(db);
  const granters = isSealed ? await listLastingHolders(db, SECURITY_ADMIN) : [];
  if (!granters.includes(userId)) return undefined;
  if (granters.length > 1) return { version };
  throw new MatrixError(
    "M_FORBIDDEN",
    "This is the last security-admin: nobody could grant anything any more.",
    { "org.myelin.permission": "roles.grant" },
  );
}

/** What need not be done at once, and is done by a job where a crash came between. */
export async function finishDeactivation(
  edges: LeaverEdges,
  userId: string,
): Promise<void> {
  await forgetFailures(edges, userId);
  await deleteAllKeyBackups(edges.db, userId);
  await leaveAllRooms(edges, userId);
}

const AT_ONCE = 10;

/** What cannot be left now is left by the job that finishes deactivations. */
async function leaveAllRooms(
  edges: LeaverEdges,
  userId: string,
): Promise<void> {
  const rooms = await listMembershipsOf(edges.db, userId, [
    "join",
    "invite",
    "knock",
  ]);
  const who = { userId: userId as UserId };
  const leaveOne = async (): Promise<void> => {
    for (let room = rooms.pop(); room; room = rooms.pop()) {
      const { roomId } = room;
      await leaveRoom(edges, who, roomId, {}, true).catch((error: unknown) => {
        edges.log.warn({ err: error, roomId }, "a room could not be left");
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, leaveOne));
}
