import { ByteReader, ByteWriter } from "../../../util/byte-buffer.ts";
import type { RoomKind, SentChanges, SentRoom } from "./sent-rooms.ts";

const FORM = 1;
const GONE = 0;
const KINDS: readonly RoomKind[] = ["join", "invite", "knock", "left"];
const DIRECT = 8;
const ACCOUNT_DATA = 16;
const RECEIPTS = 32;

/** Changes of what a connection was sent, as bytes: about eight for a room. */
export function encodeChanges(changes: SentChanges): Uint8Array {
  const writer = new ByteWriter();
  const configs = new Map<string, number>();
  for (const room of changes.values()) {
    if (room && !configs.has(room.required))
      configs.set(room.required, configs.size);
  }
  writer.number(FORM);
  writer.number(configs.size);
  for (const text of configs.keys()) writer.text(text);
  writer.number(changes.size);
  for (const [roomNid, room] of changes) {
    writer.number(roomNid);
    if (!room) {
      writer.number(GONE);
      continue;
    }
    writer.number(flagsOf(room));
    writer.number(room.position === null ? 0 : room.position + 1);
    writer.number(room.timelineLimit);
    writer.number(configs.get(room.required)!);
    writer.set(room.members);
  }
  return writer.bytes();
}

/** @throws RangeError for bytes that are none of ours */
export function decodeChanges(bytes: Uint8Array): SentChanges {
  const reader = new ByteReader(bytes);
  if (reader.number() !== FORM) throw new RangeError("The form is not known.");
  const configs = Array.from({ length: reader.number() }, () => reader.text());
  const changes = new Map<number, SentRoom | null>();
  for (let left = reader.number(); left > 0; left -= 1) {
    const roomNid = reader.number();
    const flags = reader.number();
    changes.set(
      roomNid,
      flags === GONE ? null : readRoom(reader, flags, configs),
    );
  }
  return changes;
}

const flagsOf = (room: SentRoom): number =>
  1 +
  KINDS.indexOf(room.kind) +
  (room.isDirect ? DIRECT : 0) +
  (room.hasAccountData ? ACCOUNT_DATA : 0) +
  (room.hasReceipts ? RECEIPTS : 0);

function readRoom(
  reader: ByteReader,
  flags: number,
  configs: readonly string[],
): SentRoom {
  const position = reader.number();
  const timelineLimit = reader.number();
  return {
    kind: KINDS[(flags & 7) - 1] ?? "left",
    position: position === 0 ? null : position - 1,
    timelineLimit,
    required: configs[reader.number()] ?? "[0,[]]",
    isDirect: (flags & DIRECT) > 0,
    hasAccountData: (flags & ACCOUNT_DATA) > 0,
    hasReceipts: (flags & RECEIPTS) > 0,
    members: reader.set(),
  };
}
