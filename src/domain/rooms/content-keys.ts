import type { KeyName } from "../../storage/keyring.ts";

/**
 * The keys that seal an event's content. State lives as long as its room, or its
 * member; messages die with their sender's or their room's key of the span.
 */
export function contentKeyNames(
  event: { type: string; sender: string; stateKey?: string },
  roomId: string,
  span: string,
): KeyName[] {
  const { type, sender, stateKey } = event;
  if (stateKey === undefined) {
    return [
      { scope: "user-span", owner: sender, span },
      { scope: "room-span", owner: roomId, span },
    ];
  }
  return type === "m.room.member"
    ? [{ scope: "member", owner: stateKey, span: "" }]
    : [{ scope: "room-state", owner: roomId, span: "" }];
}
