import type {
  OpenedSession,
  SessionWish,
} from "../domain/accounts/open-session.ts";

/** What a request that opens a session says of it. */
export interface SessionBody {
  device_id?: string;
  initial_device_display_name?: string;
  refresh_token?: boolean;
}

export const sessionProperties = {
  device_id: { type: "string" },
  initial_device_display_name: { type: "string", maxLength: 1024 },
  refresh_token: { type: "boolean" },
};

export const wishOf = (body: SessionBody): SessionWish => ({
  ...(body.device_id !== undefined && { deviceId: body.device_id }),
  ...(body.initial_device_display_name !== undefined && {
    displayName: body.initial_device_display_name,
  }),
  canRefresh: body.refresh_token === true,
});

export const sessionAnswer = (session: OpenedSession): object => ({
  user_id: session.userId,
  device_id: session.deviceId,
  access_token: session.accessToken,
  ...(session.refreshToken !== null && {
    refresh_token: session.refreshToken,
    expires_in_ms: session.expiresInMs,
  }),
});
