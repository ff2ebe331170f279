import { expect } from "chai";
import {
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import {
  idsOf,
  type SyncEvent,
  SyncReader,
} from "../../support/sync-reader.ts";

const ROOMS = 3;
const WRITERS = 8;
const EACH = 12;

describe("syncs while others write in two processes", () => {
  const server = useServer();
  let other: TestProcess;
  before(async () => {
    other = await server.startProcess();
  });

  it("show every event once, whichever process answers, and what a limited timeline leaves out is in /messages", async () => {
    const owner = await server.user("owner");
    const writers: TestUser[] = [];
    const roomIds: string[] = [];
    for (let i = 0; i < ROOMS; i += 1) {
      const { body } = await owner.post("/createRoom", {
        preset: "public_chat",
      });
      roomIds.push(String(body["room_id"]));
    }
    for (let i = 0; i < WRITERS; i += 1) {
      const writer = await server.user(`writer${i}`);
      for (const roomId of roomIds) await writer.post(`/join/${roomId}`);
      writers.push(writer);
    }

    const filter = { room: { timeline: { limit: 1000 } } };
    const readers = [1000, 1000, 2].map(
      (limit) =>
        new SyncReader(owner, { filter: { room: { timeline: { limit } } } }),
    );
    for (const reader of readers) await reader.next();
    const seen = readers.map(() => new Map<string, string[]>());

    const sent: string[] = [];
    const write = async (writer: TestUser, number: number) => {
      for (let i = 0; i < EACH; i += 1) {
        const process = (number + i) % 2 === 0 ? server : other;
        const roomId = roomIds[(number * 7 + i) % ROOMS]!;
        const isState = i % 4 === 3;
        const path = isState
          ? `/rooms/${roomId}/state/m.room.member/${writer.userId}`
          : `/rooms/${roomId}/send/m.room.message/${i}`;
        const { body, text } = await process.as(writer).put(path, {
          ...(isState
            ? { membership: "join", displayname: `${number} ${i}` }
            : { msgtype: "m.text", body: `${number} ${i}` }),
        });
        expect(body, text).to.have.property("event_id");
        sent.push(String(body["event_id"]));
      }
    };
    /** What lies between a limited timeline and the sync before it, oldest first. */
    const fill = async (
      reader: SyncReader,
      roomId: string,
      from: string,
      to: string,
    ): Promise<string[]> => {
      const query = new URLSearchParams({ dir: "b", limit: "5", from, to });
      const { body } = await reader.client.get(
        `/rooms/${roomId}/messages?${query}`,
      );
      const { chunk, end } = body as { chunk: SyncEvent[]; end?: string };
      const ids = idsOf(chunk).toReversed();
      if (end === undefined) return ids;
      return [...(await fill(reader, roomId, end, to)), ...ids];
    };
    const read = async (
      reader: SyncReader,
      timelines: Map<string, string[]>,
    ) => {
      let count = 0;
      for (let i = 0; count < WRITERS * EACH; i += 1) {
        reader.client = i % 2 === 0 ? other.as(owner) : owner;
        const since = reader.since!;
        const { rooms } = await reader.next({ timeout: 10_000 });
        expect(Object.keys(rooms.join), "nothing within 10 s").not.empty;
        for (const [roomId, { timeline }] of Object.entries(rooms.join)) {
          const { events, limited, prev_batch: end } = timeline;
          const hole = limited ? await fill(reader, roomId, end, since) : [];
          if (limited) expect(hole).not.empty;
          const news = [...hole, ...idsOf(events)];
          timelines.set(roomId, [...(timelines.get(roomId) ?? []), ...news]);
          count += news.length;
        }
      }
    };
    await Promise.all([
      ...writers.map(write),
      ...readers.map((reader, i) => read(reader, seen[i]!)),
    ]);

    const whole = new SyncReader(owner, { filter });
    const { rooms } = await whole.next();
    for (const timelines of seen)
      expect([...timelines.values()].flat()).to.have.members(sent);
    for (const timelines of seen.slice(0, 2)) {
      for (const roomId of roomIds) {
        const ids = timelines.get(roomId)!;
        const all = idsOf(rooms.join[roomId]!.timeline.events);
        expect(all.slice(-ids.length)).to.deep.equal(ids);
      }
    }
  }).timeout(60_000);
});
