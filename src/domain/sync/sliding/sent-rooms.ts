/** What a client knows a room as. */
export type RoomKind = "join" | "invite" | "knock" | "left";

/** What a connection was sent of one room. */
export interface SentRoom {
  kind: RoomKind;
  /**
   * What stands up to here was told. Null: up to the position of the token that comes
   * back, so that a room without news needs no note of it.
   */
  position: number | null;
  /** How many of the newest events the client has, at least where the room has as many. */
  timelineLimit: number;
  /** The text of the required state that was told and is known to the client. */
  required: string;
  isDirect: boolean;
  /** Whether the room's account data, and its receipts, were told too. */
  hasAccountData: boolean;
  hasReceipts: boolean;
  /** The member events that were sent because the timeline needed them. */
  members: readonly number[];
}

export type SentRooms = ReadonlyMap<number, SentRoom>;

/** Changes of what was sent; null takes a room out. */
export type SentChanges = ReadonlyMap<number, SentRoom | null>;

export function applyChanges(
  rooms: SentRooms,
  changes: SentChanges,
): SentRooms {
  if (changes.size === 0) return rooms;
  const next = new Map(rooms);
  for (const [roomNid, room] of changes) {
    if (room) next.set(roomNid, room);
    else next.delete(roomNid);
  }
  return next;
}

export const isSameSent = (a: SentRoom, b: SentRoom): boolean =>
  a === b ||
  (a.kind === b.kind &&
    a.position === b.position &&
    a.timelineLimit === b.timelineLimit &&
    a.required === b.required &&
    a.isDirect === b.isDirect &&
    a.hasAccountData === b.hasAccountData &&
    a.hasReceipts === b.hasReceipts &&
    a.members.length === b.members.length &&
    new Set([...a.members, ...b.members]).size === a.members.length);
