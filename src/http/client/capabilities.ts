import { roomVersions } from "../../core/room-version.ts";
import { listOwnPowers } from "../../domain/admin/own-permissions.ts";
import type { Permission } from "../../domain/admin/permissions.ts";
import {
  MAX_DELAY_MS,
  MAX_SCHEDULED,
} from "../../domain/rooms/schedule-event.ts";
import { endpoint } from "../endpoint.ts";

const available = Object.fromEntries(
  roomVersions.map((version) => [version, "stable"]),
);

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3capabilities */
export const getCapabilities = endpoint({
  method: "get",
  path: "/_matrix/client/v3/capabilities",
  auth: "user",
  guest: true,
  async handle(edges, { requester }) {
    const { settings } = edges;
    const powers = await listOwnPowers(edges, requester);
    const may = (permission: Permission): boolean =>
      powers.some(({ permissions }) => permissions.includes(permission));
    return {
      capabilities: {
        "m.room_versions": { default: settings.defaultRoomVersion, available },
        "m.change_password": { enabled: true },
        "m.profile_fields": { enabled: true },
        "m.set_displayname": { enabled: true },
        "m.set_avatar_url": { enabled: true },
        "m.3pid_changes": { enabled: false },
        "m.get_login_token": { enabled: settings.loginTokensEnabled },
        "m.account_moderation": {
          suspend: may("users.suspend"),
          lock: may("users.lock"),
        },
        "m.forget_forced_upon_leave": { enabled: false },
        "io.element.msc4452.preview_url": {
          enabled: settings.urlPreviews.enabled,
        },
        "org.matrix.msc4140.delayed_events": {
          max_delay_ms: MAX_DELAY_MS,
          max_scheduled: MAX_SCHEDULED,
        },
      },
    };
  },
});
