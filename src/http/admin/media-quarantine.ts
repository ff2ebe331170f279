import {
  listRoomMedia,
  protectMedium,
  quarantineMedium,
  quarantineRoom,
  quarantineUser,
  readQuarantineChanges,
  releaseMedium,
} from "../../domain/admin/media.ts";
import { endpoint } from "../endpoint.ts";
import { BOOLEAN, COUNT, EMPTY, named, object, TEXT } from "../json-schema.ts";
import { mediaParams } from "../media-params.ts";
import { userParam } from "./names.ts";
import { native, synapse } from "./tools.ts";
import {
  cutPage,
  listAnswer,
  listQuery,
  onwardAnswer,
  onwardProperties,
  pageAnswer,
  type OnwardQuery,
  type PageQuery,
} from "./paging.ts";

type OneRoom = { params: { roomId: string } };
type OneMedium = { params: { serverName: string; mediaId: string } };

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#list-all-media-in-a-room */
export const getRoomMedia = endpoint<OneRoom>({
  method: "get",
  path: synapse("/room/:roomId/media"),
  auth: "admin",
  permission: "media.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    const local = await listRoomMedia(edges, params.roomId);
    return { local, remote: [] };
  },
});

/** The same as a list like all others. */
export const listMediaOfRoom = endpoint<OneRoom & { query: PageQuery }>({
  method: "get",
  path: native("/rooms/:roomId/media"),
  auth: "admin",
  permission: "media.read",
  rateLimit: "admin",
  query: listQuery(["media_id"]),
  doc: {
    id: "listMediaOfRoom",
    says: "Lists the `mxc:` addresses of files that a room’s events name, as far as they can be read.",
    answers: listAnswer("media", TEXT),
  },
  async handle(edges, { params, query }) {
    const all = await listRoomMedia(edges, params.roomId);
    const media = cutPage(query, all);
    return { media, ...pageAnswer(query, media.length, all.length) };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#quarantining-media-in-a-room */
export const postQuarantineRoom = endpoint<OneRoom>({
  method: "post",
  path: synapse("/room/:roomId/media/quarantine"),
  also: [
    synapse("/quarantine_media/:roomId"),
    native("/rooms/:roomId/media/quarantine"),
  ],
  auth: "admin",
  permission: "media.quarantine",
  rateLimit: "admin",
  doc: {
    id: "quarantineMediaOfRoom",
    says: "Withholds all files that a room’s events name.",
    answers: object({ num_quarantined: COUNT }),
  },
  async handle(edges, { params, ...by }) {
    return { num_quarantined: await quarantineRoom(edges, by, params.roomId) };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#quarantining-all-media-of-a-user */
export const postQuarantineUser = endpoint<{ params: { userId: string } }>({
  method: "post",
  path: synapse("/user/:userId/media/quarantine"),
  also: [native("/users/:userId/media/quarantine")],
  params: { userId: userParam },
  auth: "admin",
  permission: "media.quarantine",
  rateLimit: "admin",
  doc: {
    id: "quarantineMediaOfUser",
    says: "Withholds all that a user has uploaded.",
    answers: object({ num_quarantined: COUNT }),
  },
  async handle(edges, { params, ...by }) {
    return { num_quarantined: await quarantineUser(edges, by, params.userId) };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#quarantining-media-by-id */
export const postQuarantineMedium = endpoint<OneMedium>({
  method: "post",
  path: synapse("/media/quarantine/:serverName/:mediaId"),
  also: [native("/media/:serverName/:mediaId/quarantine")],
  auth: "admin",
  permission: "media.quarantine",
  rateLimit: "admin",
  params: mediaParams,
  doc: {
    id: "quarantineMedium",
    says: "Withholds a file: nobody gets it, by any path.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await quarantineMedium(edges, by, params.serverName, params.mediaId);
    return {};
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#remove-media-from-quarantine-by-id */
export const postReleaseMedium = endpoint<OneMedium>({
  method: "post",
  path: synapse("/media/unquarantine/:serverName/:mediaId"),
  also: [native("/media/:serverName/:mediaId/unquarantine")],
  auth: "admin",
  permission: "media.quarantine",
  rateLimit: "admin",
  params: mediaParams,
  doc: {
    id: "releaseMedium",
    says: "Gives a file free again.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await releaseMedium(edges, by, params.serverName, params.mediaId);
    return {};
  },
});

const { mediaId } = mediaParams;

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#protecting-media-from-being-quarantined */
export const postProtectMedium = endpoint<{ params: { mediaId: string } }>({
  method: "post",
  path: synapse("/media/protect/:mediaId"),
  also: [native("/media/:mediaId/protect")],
  auth: "admin",
  permission: "media.quarantine",
  rateLimit: "admin",
  params: { mediaId },
  doc: {
    id: "protectMedium",
    says: "Keeps a file of this server’s own from being withheld.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await protectMedium(edges, by, params.mediaId, true);
    return {};
  },
});

export const postUnprotectMedium = endpoint<{ params: { mediaId: string } }>({
  method: "post",
  path: synapse("/media/unprotect/:mediaId"),
  also: [native("/media/:mediaId/unprotect")],
  auth: "admin",
  permission: "media.quarantine",
  rateLimit: "admin",
  params: { mediaId },
  doc: {
    id: "unprotectMedium",
    says: "Lets a file be withheld again.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await protectMedium(edges, by, params.mediaId, false);
    return {};
  },
});

const CHANGES_AT_ONCE = 100;

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#listing-quarantined-media-changes */
export const getQuarantineChanges = endpoint<{ query: { from?: number } }>({
  method: "get",
  path: synapse("/media/quarantine_changes"),
  auth: "admin",
  permission: "media.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: { from: { type: "integer", minimum: 0 } },
  },
  async handle(edges, { query }) {
    const { from = 0 } = query;
    const rows = await readQuarantineChanges(edges, from, CHANGES_AT_ONCE);
    const origin = edges.settings.serverName;
    return {
      next_batch: rows.at(-1)?.changeId ?? from,
      changes: rows.map((row) => ({
        origin,
        media_id: row.mediaId,
        quarantined: row.isQuarantined,
      })),
    };
  },
});

const CHANGE = named(
  "QuarantineChange",
  object({ media_id: TEXT, quarantined: BOOLEAN }),
);

/** The same as a log like all others. */
export const readOnQuarantineChanges = endpoint<{ query: OnwardQuery }>({
  method: "get",
  path: native("/media/quarantine_changes"),
  auth: "admin",
  permission: "media.read",
  rateLimit: "admin",
  query: { type: "object", properties: onwardProperties },
  doc: {
    id: "readQuarantineChanges",
    says: "Reads what was withheld and given free, onward from a place.",
    answers: onwardAnswer("changes", CHANGE),
  },
  async handle(edges, { query }) {
    const { from = 0, limit = CHANGES_AT_ONCE } = query;
    const rows = await readQuarantineChanges(edges, from, limit);
    const last = rows.at(-1)?.changeId;
    return {
      changes: rows.map((row) => ({
        media_id: row.mediaId,
        quarantined: row.isQuarantined,
      })),
      ...(last !== undefined &&
        rows.length === limit && { next_token: String(last) }),
    };
  },
});
