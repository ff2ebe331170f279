import { expect } from "chai";
import fc from "fast-check";
import {
  decodeChanges,
  encodeChanges,
} from "../../../../src/domain/sync/sliding/encode-sent.ts";
import type {
  RoomKind,
  SentRoom,
} from "../../../../src/domain/sync/sliding/sent-rooms.ts";

const number = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 }),
);

const sentRoom: fc.Arbitrary<SentRoom> = fc.record({
  kind: fc.constantFrom<RoomKind>("join", "invite", "knock", "left"),
  position: fc.option(number),
  timelineLimit: fc.nat({ max: 100 }),
  required: fc.constantFrom("[0,[]]", '[1,[["x","ü\\u0000"]]]', "[0,[[]]]"),
  isDirect: fc.boolean(),
  hasAccountData: fc.boolean(),
  hasReceipts: fc.boolean(),
  members: fc.uniqueArray(number).map((list) => list.sort((a, b) => a - b)),
});

const changes = fc
  .array(fc.tuple(number, fc.option(sentRoom)), { maxLength: 20 })
  .map((entries) => new Map(entries));

describe("encodeChanges", () => {
  it("writes what decodeChanges reads", () => {
    fc.assert(
      fc.property(changes, (sent) => {
        const read = decodeChanges(encodeChanges(sent));
        expect(JSON.stringify([...read])).to.equal(JSON.stringify([...sent]));
      }),
    );
  });

  it("takes about a dozen bytes for a room", () => {
    const room: SentRoom = {
      kind: "join",
      position: null,
      timelineLimit: 1,
      required: '[1,[["m.room.name",""]]]',
      isDirect: false,
      hasAccountData: true,
      hasReceipts: true,
      members: [123_456],
    };
    const rooms = Array.from({ length: 1000 }, (_, i) => 1_000_000 + 7 * i);
    const bytes = encodeChanges(new Map(rooms.map((nid) => [nid, room])));
    expect(bytes.length).to.be.below(12_100);
  });

  it("is not read where it ends too early, or is of another form", () => {
    const bytes = encodeChanges(new Map([[5, null]]));
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => decodeChanges(bytes.subarray(0, length))).to.throw(
        RangeError,
      );
    expect(() => decodeChanges(Uint8Array.of(9, 0, 0))).to.throw(RangeError);
  });
});
