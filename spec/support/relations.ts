import { path, send } from "./rooms.ts";
import type { RoomEvent } from "./rooms.ts";
import type { Json, TestClient } from "./server.ts";

/** An event with what the server tells beside it. */
export interface Bundled extends RoomEvent {
  origin_server_ts: number;
  unsigned: { "m.relations"?: Relations; transaction_id?: string };
}

export interface Relations {
  "m.replace"?: Bundled;
  "m.thread"?: {
    latest_event: Bundled;
    count: number;
    current_user_participated: boolean;
  };
  "m.reference"?: { chunk: { event_id: string }[] };
}

export const relatesTo = (
  rel_type: string,
  event_id: string,
  more: Json = {},
): Json => ({ "m.relates_to": { rel_type, event_id, ...more } });

export const reply = (
  user: TestClient,
  roomId: string,
  root: string,
  body = "reply",
): Promise<string> =>
  send(user, roomId, "m.room.message", {
    msgtype: "m.text",
    body,
    ...relatesTo("m.thread", root),
  });

export const edit = (
  user: TestClient,
  roomId: string,
  eventId: string,
  body: string,
): Promise<string> =>
  send(user, roomId, "m.room.message", {
    msgtype: "m.text",
    body: `* ${body}`,
    "m.new_content": { msgtype: "m.text", body },
    ...relatesTo("m.replace", eventId),
  });

export const refer = (
  user: TestClient,
  roomId: string,
  eventId: string,
): Promise<string> =>
  send(user, roomId, "m.poll.response", relatesTo("m.reference", eventId));

export const react = (
  user: TestClient,
  roomId: string,
  eventId: string,
  key = "+",
): Promise<string> =>
  send(user, roomId, "m.reaction", relatesTo("m.annotation", eventId, { key }));

let redactions = 0;

export const redact = (
  user: TestClient,
  roomId: string,
  eventId: string,
  body: Json = {},
) =>
  user.put(
    path`/rooms/${roomId}/redact/${eventId}/${`redact${redactions++}`}`,
    body,
  );

/** The path of the relations of an event, with what narrows them down. */
export const relationsPath = (
  roomId: string,
  eventId: string,
  ...narrowed: string[]
): string =>
  `/_matrix/client/v1${path`/rooms/${roomId}/relations/${eventId}`}${narrowed
    .map((part) => `/${encodeURIComponent(part)}`)
    .join("")}`;

export const threadsPath = (roomId: string): string =>
  `/_matrix/client/v1${path`/rooms/${roomId}/threads`}`;
