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
import { mediaParams } from "../media-params.ts";
import { userParam } from "./names.ts";
import { native, synapse } from "./tools.ts";

type OneRoom = { params: { roomId: string } };
type OneMedium = { params: { serverName: string; mediaId: string } };

/** https://element-hq.github.io/synapse/latest/admin_api/media_admin_api.html#list-all-media-in-a-room */
export const getRoomMedia = endpoint<OneRoom>({
  method: "get",
  path: synapse("/room/:roomId/media"),
  also: [native("/rooms/:roomId/media")],
  auth: "admin",
  permission: "media.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    const local = await listRoomMedia(edges, params.roomId);
    return { local, remote: [] };
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
  auth: "admin",
  permission: "media.quarantine",
  rateLimit: "admin",
  params: { mediaId },
  async handle(edges, { params, ...by }) {
    await protectMedium(edges, by, params.mediaId, true);
    return {};
  },
});

export const postUnprotectMedium = endpoint<{ params: { mediaId: string } }>({
  method: "post",
  path: synapse("/media/unprotect/:mediaId"),
  auth: "admin",
  permission: "media.quarantine",
  rateLimit: "admin",
  params: { mediaId },
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
  also: [native("/media/quarantine_changes")],
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
