import type { KeyName, Keyring } from "../../storage/keyring.ts";

/** The spans of a sender's and of a room's key: rooms that keep little have keys of a day. */
export const spansAt = (
  keyring: Pick<Keyring, "spanAt">,
  ts: number,
  hasDailyKeys: boolean,
): Spans => ({
  user: keyring.spanAt(ts),
  room: keyring.spanAt(ts, hasDailyKeys),
});

interface Spans {
  user: string;
  room: string;
}

/**
 * The keys that seal an event's content. State lives as long as its room, or its
 * member; messages die with their sender's or their room's key of the span.
 */
export function contentKeyNames(
  event: { type: string; sender: string; stateKey?: string },
  roomId: string,
  spans: Spans,
): KeyName[] {
  const { type, sender, stateKey } = event;
  if (stateKey === undefined) {
    return [
      { scope: "user-span", owner: sender, span: spans.user },
      { scope: "room-span", owner: roomId, span: spans.room },
    ];
  }
  return type === "m.room.member"
    ? [{ scope: "member", owner: stateKey, span: "" }]
    : [{ scope: "room-state", owner: roomId, span: "" }];
}
