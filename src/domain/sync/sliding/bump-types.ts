/** Events that are proper activity in a room, by MSC4186. */
export const BUMP_TYPES: readonly string[] = [
  "m.room.create",
  "m.room.message",
  "m.room.encrypted",
  "m.sticker",
  "m.call.invite",
  "m.poll.start",
  "m.beacon_info",
];

const bumps = new Set(BUMP_TYPES);

export const isBump = (type: string): boolean => bumps.has(type);
