import type {
  OpenedSession,
  SessionWish,
} from "../domain/accounts/open-session.ts";

/** What a request that opens a session says of it. */
export interface SessionBody {
  device_id?: string | null;
  initial_device_display_name?: string | null;
  refresh_token?: boolean | null;
}

/** Consoles that log in for the first time send the device that they have not as null. */
export const sessionProperties = {
  device_id: { type: ["string", "null"] },
  initial_device_display_name: { type: ["string", "null"], maxLength: 1024 },
  refresh_token: { type: ["boolean", "null"] },
};

export function wishOf(body: SessionBody): SessionWish {
  const { device_id, initial_device_display_name, refresh_token } = body;
  return {
    ...(typeof device_id === "string" && { deviceId: device_id }),
    ...(typeof initial_device_display_name === "string" && {
      displayName: initial_device_display_name,
    }),
    canRefresh: refresh_token === true,
  };
}

export const sessionAnswer = (session: OpenedSession): object => ({
  user_id: session.userId,
  device_id: session.deviceId,
  access_token: session.accessToken,
  ...(session.refreshToken !== null && {
    refresh_token: session.refreshToken,
    expires_in_ms: session.expiresInMs,
  }),
});
