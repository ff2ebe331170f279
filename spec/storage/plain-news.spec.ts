import { expect } from "chai";
import fc from "fast-check";
import { NO_CONDITIONS } from "../../src/domain/sync/sync-filter.ts";
import type { CommittedBatch } from "../../src/storage/notifier.ts";
import { PlainNewsMemory } from "../../src/storage/plain-news.ts";
import { listDeltaFacts } from "../../src/storage/room-delta.ts";
import { listTimelines } from "../../src/storage/sync-timeline.ts";
import type { EventRow, Write } from "../../src/storage/write.ts";
import { useCommitters } from "../support/committers.ts";
import { useDatabase } from "../support/database.ts";
import { eventRow, eventsWrite, newNid } from "../support/writes.ts";

describe("PlainNewsMemory", () => {
  const database = useDatabase();
  const batches: CommittedBatch[] = [];
  const [committer] = useOne();

  function useOne() {
    const all = useCommitters(database, 1, {
      onCommit: (batch) => batches.push(batch),
    });
    return [(write: Write) => all[0]!.commit(write)] as const;
  }

  const receipt = (roomNid: number): Write => ({
    positions: 1,
    wake: { rooms: [roomNid] },
    rows: {
      receipts: [
        {
          at: 0,
          roomNid,
          userId: "@ann:test",
          receiptType: "m.read",
          thread: "main",
          eventId: "$read",
          eventPosition: 1,
          receiptTs: 1,
        },
      ],
    },
  });

  const state = (roomNid: number): Write => {
    const event = eventRow({ roomNid, type: "m.room.topic", stateKey: "" });
    const change = { at: 0, roomNid, type: "m.room.topic", stateKey: "" };
    return {
      positions: 1,
      events: [event],
      stateChanges: [{ ...change, oldNid: null, newNid: event.nid }],
    };
  };

  const messages = (
    roomNid: number,
    events: readonly Partial<EventRow>[],
    notified: readonly string[],
  ): Write => {
    const write = eventsWrite(events.map((event) => ({ ...event, roomNid })));
    const [first] = write.events!;
    return {
      ...write,
      wake: { rooms: [roomNid] },
      rows: {
        notifications: notified.map((userId) => ({
          at: 0,
          userId,
          roomNid,
          nid: first!.nid,
          thread: "main",
          isHighlight: false,
          isCounted: true,
        })),
      },
    };
  };

  const event = fc.record({
    sender: fc.constantFrom("@ann:test", "@ben:test"),
    type: fc.constantFrom("m.room.message", "odd\0type", "lone\ud800"),
    isCountable: fc.boolean(),
    thread: fc.constantFrom(null, "$root"),
    relType: fc.constantFrom(null, "m.thread"),
    deviceId: fc.constantFrom(null, "DEVICE"),
    txnId: fc.constantFrom(null, "txn"),
    depth: fc.nat({ max: 1000 }),
    hasUrl: fc.boolean(),
    snapshotId: fc.constantFrom(null, 7),
  });
  const write = fc.record({
    room: fc.nat({ max: 2 }),
    kind: fc.constantFrom(
      "messages",
      "messages",
      "messages",
      "receipt",
      "state",
    ),
    events: fc.array(event, { minLength: 1, maxLength: 4 }),
    notified: fc.subarray(["", "@ann:test", "@ben:test"]),
  });

  it("holds what the tables hold of a batch, and nothing of rooms that got more", async () => {
    let found = 0;
    let left = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { minLength: 1, maxLength: 5 }),
        async (writes) => {
          const base = newNid() * 10;
          const memory = new PlainNewsMemory();
          batches.length = 0;
          await Promise.all(
            writes.map(({ room, kind, events, notified }) => {
              const roomNid = base + room;
              if (kind === "receipt") return committer(receipt(roomNid));
              if (kind === "state") return committer(state(roomNid));
              return committer(messages(roomNid, events, notified));
            }),
          );
          for (const batch of batches) {
            const span = { after: batch.base, upTo: batch.head };
            memory.add(span, batch.writes);
            for (const roomNid of batch.rooms) {
              const range = { roomNid, ...span };
              const news = memory.find(roomNid, span);
              const [facts] = await listDeltaFacts(database.sql, [range]);
              const heads = await listTimelines(
                database.sql,
                [{ ...range, limit: 100 }],
                NO_CONDITIONS,
              );
              if (facts!.hasReceipts || facts!.hasStateChanges) {
                expect(news).to.equal(undefined);
                left += 1;
              } else {
                const { heads: known, ...rest } = news!;
                expect({ ...rest, notified: [...rest.notified].sort() }).to.eql(
                  { ...facts, notified: [...facts!.notified].sort() },
                );
                expect(known).to.eql(heads.reverse());
                found += 1;
              }
            }
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(found).to.be.above(20);
    expect(left).to.be.above(20);
  });

  it("knows nothing of spans that are more than one batch", async () => {
    const roomNid = newNid();
    const memory = new PlainNewsMemory();
    batches.length = 0;
    await committer(messages(roomNid, [{}], []));
    await committer(messages(roomNid, [{}], []));
    for (const { base, head, writes } of batches)
      memory.add({ after: base, upTo: head }, writes);
    const [first, second] = batches;
    const both = { after: first!.base, upTo: second!.head };
    expect(memory.find(roomNid, both)).to.equal(undefined);
    const one = { after: second!.base, upTo: second!.head };
    expect(memory.find(roomNid, one)?.heads).to.have.length(1);
  });
});
