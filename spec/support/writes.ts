import { randomBytes } from "node:crypto";
import type { EventRow, Write } from "../../src/storage/write.ts";

let lastNid = 1_000_000_000;

/** A number that no other spec of this process gets. */
export const newNid = (): number => (lastNid += 1);

/** An event row with what is told; the rest is plain. */
export function eventRow(told: Partial<EventRow> = {}): EventRow {
  const nid = told.nid ?? newNid();
  return {
    nid,
    roomNid: 1,
    eventId: `$${nid}`,
    type: "m.room.message",
    stateKey: null,
    sender: "@alice:test",
    depth: 1,
    originServerTs: 1,
    receivedTs: 1,
    snapshotId: null,
    snapshotAfter: null,
    replacesNid: null,
    status: 0,
    refusal: null,
    isCountable: true,
    hasUrl: false,
    deviceId: null,
    txnId: null,
    redacts: null,
    relType: null,
    relatesTo: null,
    thread: null,
    skeleton: "{}",
    content: { firstKey: 0, secondKey: 0, sealed: randomBytes(20) },
    isOutlier: false,
    ...told,
  };
}

/** A write of these events that compares nothing. */
export const eventsWrite = (
  events: readonly Partial<EventRow>[],
  more: Partial<Write> = {},
): Write => ({
  positions: Math.max(1, events.filter((event) => !event.isOutlier).length),
  events: events.map((event) => eventRow(event)),
  ...more,
});

/** A write that makes a room. */
export const roomWrite = (
  roomNid: number,
  more: Partial<Write> = {},
): Write => ({
  positions: 1,
  rooms: [{ roomNid, stateVersion: null, cited: [], left: [] }],
  ...more,
  rows: {
    newRooms: [
      {
        roomNid,
        roomId: `!${roomNid}:test`,
        roomVersion: "11",
        isResident: true,
        createdTs: 1,
      },
    ],
    ...more.rows,
  },
});
