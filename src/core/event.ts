import type { JsonObject } from "./json.ts";

export type EventReference = string | [string, { sha256: string }];

/** A persistent data unit, as the server-server specification writes it. */
export interface Pdu {
  /** Room versions 1 and 2 only; later, the id is the event's hash. */
  event_id?: string;
  type: string;
  sender: string;
  /** Absent on the create event of room versions whose room id is its hash. */
  room_id?: string;
  state_key?: string;
  content: JsonObject;
  origin_server_ts: number;
  depth: number;
  /** Event ids; in room versions 1 and 2 pairs of event id and hashes. */
  prev_events: EventReference[];
  auth_events: EventReference[];
  hashes: { sha256: string };
  signatures: Record<string, Record<string, string>>;
  redacts?: string;
  unsigned?: JsonObject;
}

/** An event that we build, before `finishEvent` adds hashes and signature. */
export type EventTemplate = Omit<Pdu, "hashes" | "signatures" | "unsigned">;

/** An event with what its room knows of it: the form that auth and state work on. */
export interface RoomEvent {
  eventId: string;
  roomId: string;
  pdu: Pdu;
  prevEventIds: readonly string[];
  authEventIds: readonly string[];
  /** It failed auth once; it stays in the graph and never enters state. */
  isRejected: boolean;
}

/** The ids of `prev_events` or `auth_events` in either form. */
export const referencedIds = (
  references: readonly EventReference[],
): string[] =>
  references.map((reference) =>
    typeof reference === "string" ? reference : reference[0],
  );

/** The same event as the JSON object that it is on the wire. */
export const asJson = (event: Pdu | EventTemplate): JsonObject =>
  event as unknown as JsonObject;
