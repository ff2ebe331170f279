import { isCompliantUserId } from "../../core/ids.ts";
import {
  deleteRoom,
  findDeletable,
  readDeletion,
  readDeletionsOf,
  scheduleRoomDeletion,
  type DeletionStatus,
  type RoomDeletion,
} from "../../domain/admin/delete-room.ts";
import { isSomebodyElse } from "../../domain/admin/replacement-owner.ts";
import { endpoint, type AlsoTaken, type AskedBy } from "../endpoint.ts";
import { object, TEXT } from "../json-schema.ts";
import { native, synapse } from "./tools.ts";

interface DeletionBody {
  new_room_user_id?: string | null;
  room_name?: string | null;
  message?: string | null;
  block?: boolean | null;
  purge?: boolean | null;
  force_purge?: boolean | null;
}

const text = (maxLength: number) => ({ type: ["string", "null"], maxLength });
const flag = { type: ["boolean", "null"] };

const body = {
  type: "object",
  properties: {
    new_room_user_id: text(255),
    room_name: text(255),
    message: text(16_384),
    block: flag,
    purge: flag,
    force_purge: flag,
  },
};

const wantedOf = (asked: DeletionBody): RoomDeletion => ({
  newRoomUserId: asked.new_room_user_id ?? null,
  roomName: asked.room_name ?? null,
  message: asked.message ?? null,
  blocks: asked.block ?? false,
  purges: asked.purge ?? true,
  forcesPurge: asked.force_purge ?? false,
});

/** A second person agrees to the act in somebody's name together with the deletion. */
function alsoTakes(
  { new_room_user_id: userId }: DeletionBody,
  { requester, settings }: AskedBy,
): AlsoTaken {
  // What is no user ID is refused when the deletion is judged.
  if (typeof userId !== "string" || !isCompliantUserId(userId))
    return { permissions: [] };
  const noted = { new_room_user: userId };
  return isSomebodyElse(settings, requester.userId, userId)
    ? { noted, permissions: ["users.impersonate"], userId }
    : { noted, permissions: [] };
}

const shutdownAnswer = (status: DeletionStatus) => ({
  kicked_users: status.kickedUsers,
  failed_to_kick_users: status.failedUsers,
  local_aliases: status.localAliases,
  new_room_id: status.newRoomId,
});

const statusAnswer = (status: DeletionStatus) => ({
  delete_id: status.job.jobId,
  room_id: status.job.roomId,
  status: status.job.state,
  shutdown_room: shutdownAnswer(status),
  ...(status.job.error !== null && { error: status.job.error }),
  ...(status.job.state === "scheduled" && {
    "org.myelin.not_before": status.job.notBefore,
  }),
});

type OneRoom = { params: { roomId: string } };

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#version-1-old-version */
export const deleteRoomAtOnce = endpoint<OneRoom & { body: DeletionBody }>({
  method: "delete",
  path: synapse("/rooms/:roomId"),
  auth: "admin",
  permission: "rooms.delete",
  rateLimit: "admin",
  body,
  alsoTakes,
  validate: (edges, { params, body, ...by }) =>
    findDeletable(edges, by, params.roomId, wantedOf(body)),
  async handle(edges, { params, body, request, ...by }) {
    const status = await deleteRoom(
      edges,
      by,
      params.roomId,
      wantedOf(body),
      () => request.signal,
    );
    const { jobId, state, notBefore } = status.job;
    return {
      ...shutdownAnswer(status),
      ...(state === "scheduled" && {
        "org.myelin.delete_id": jobId,
        "org.myelin.not_before": notBefore,
      }),
    };
  },
});

const V2 = "/_synapse/admin/v2/rooms";

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#version-2-new-version */
export const deleteRoomLater = endpoint<OneRoom & { body: DeletionBody }>({
  method: "delete",
  path: `${V2}/:roomId`,
  also: [native("/rooms/:roomId")],
  auth: "admin",
  permission: "rooms.delete",
  rateLimit: "admin",
  body,
  doc: {
    id: "deleteRoom",
    says: "Empties and closes a room, and destroys it when that can no longer be taken back, as a task.",
    answers: object({ delete_id: TEXT }),
  },
  alsoTakes,
  validate: (edges, { params, body, ...by }) =>
    findDeletable(edges, by, params.roomId, wantedOf(body)),
  async handle(edges, { params, body, ...by }) {
    const wanted = wantedOf(body);
    const jobId = await scheduleRoomDeletion(edges, by, params.roomId, wanted);
    return { delete_id: jobId };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#query-by-room_id */
export const getDeletionsOfRoom = endpoint<OneRoom>({
  method: "get",
  path: `${V2}/:roomId/delete_status`,
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    const statuses = await readDeletionsOf(edges, params.roomId);
    return { results: statuses.map(statusAnswer) };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#query-by-delete_id */
export const getDeletion = endpoint<{ params: { jobId: string } }>({
  method: "get",
  path: `${V2}/delete_status/:jobId`,
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    return statusAnswer(await readDeletion(edges, params.jobId));
  },
});
