import { expect } from "chai";
import { act, makeRoom, must, path, say, setState } from "../support/rooms.ts";
import { quiet } from "../support/database.ts";
import { useServer } from "../support/server.ts";
import type { Json, TestClient, TestUser } from "../support/server.ts";
import { SyncReader } from "../support/sync-reader.ts";
import type { SyncAnswer } from "../support/sync-reader.ts";

/** What in the database is sealed, and whose rows of it are damaged. */
const OWN = [
  ["account_data", "user_id"],
  ["to_device", "user_id"],
  ["stripped_states", "user_id"],
  ["profile_fields", "user_id"],
  ["devices", "user_id"],
] as const;

describe("damaged rows", () => {
  const errors: string[] = [];
  const server = useServer(
    {},
    { ...quiet, error: (_details, message) => void errors.push(message) },
  );
  beforeEach(() => void errors.splice(0));
  afterEach("see the damage in the log, and no other fault", () => {
    expect([...new Set(errors)]).to.deep.equal([
      "A sealed row cannot be opened.",
    ]);
  });
  let count = 0;

  /** A user of a process that has seen nothing yet, so that all is read from the database. */
  const elsewhere = async (user: TestUser): Promise<TestClient> =>
    (await server.startProcess()).as(user);

  /** A user with everything, in a room with another. */
  async function scene() {
    count += 1;
    const alice = await server.user(`alice${count}`);
    const bob = await server.user(`bob${count}`);
    const roomId = await makeRoom(alice, {
      preset: "public_chat",
      name: "a name",
    });
    await act(bob, roomId, "join");
    const ids = [];
    for (const text of ["one", "two", "three"])
      ids.push(await say(bob, roomId, text));
    const invited = await makeRoom(bob, { invite: [alice.userId] });
    const data = path`/user/${alice.userId}/account_data/m.x`;
    must(await alice.put(data, { a: 1 }));
    must(await alice.put(`${data}2`, { a: 2 }));
    const to = { [alice.userId]: { [alice.deviceId]: { text: "secret" } } };
    must(await bob.put("/sendToDevice/m.x/1", { messages: to }));
    must(await bob.put("/sendToDevice/m.x/2", { messages: to }));
    must(
      await alice.put(path`/profile/${alice.userId}/displayname`, {
        displayname: "Alice",
      }),
    );
    return { alice, bob, roomId, ids, invited };
  }

  const bodies = (answer: SyncAnswer, roomId: string) =>
    answer.rooms.join[roomId]?.timeline.events
      .filter(({ type }) => type === "m.room.message")
      .map(({ content }) => content["body"]);

  /** Turns every bit of the last sealed byte, or puts other bytes there. */
  const damages = [
    ["a flipped bit", "set_byte(sealed, 20, get_byte(sealed, 20) # 1)"],
    ["cut bytes", "substring(sealed from 1 for 5)"],
    ["other bytes", "'\\x00ff'::bytea"],
  ] as const;

  for (const [kind, expression] of damages) {
    it(`C17 rows 6, 45: ${kind} in one event takes nothing but that event's content away`, async () => {
      const { alice, roomId, ids } = await scene();
      await server.database.sql.unsafe(
        `update event_contents set sealed = ${expression}
         where nid = (select nid from events where event_id = $1)`,
        [ids[1]!],
      );
      const reader = await elsewhere(alice);
      const first = await new SyncReader(reader, {
        filter: { room: { timeline: { limit: 50 } } },
      }).next();
      expect(bodies(first, roomId)).to.deep.equal(["one", undefined, "three"]);
      const room = path`/rooms/${roomId}`;
      const page = must<{ chunk: Json[] }>(
        await reader.get(`${room}/messages?dir=b&limit=50`),
      );
      expect(page.chunk.map(({ event_id }) => event_id)).to.include.members(
        ids,
      );
      for (const target of [
        `/event/${ids[1]}`,
        `/context/${ids[0]}`,
        "/state",
        "/members",
      ])
        must(await reader.get(room + target));
      await say(alice, roomId, "four");
    });
  }

  it("C17: a damaged state event of each kind stops neither readers nor writers of its room", async () => {
    const { alice, bob, roomId } = await scene();
    await setState(alice, roomId, "m.room.topic", { topic: "t" });
    await server.database.sql`
      update event_contents set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)
      where nid in (select nid from current_state
        where room_nid = (select room_nid from rooms where room_id = ${roomId}))`;
    const reader = await elsewhere(alice);
    const first = await new SyncReader(reader).next();
    expect(first.rooms.join).to.have.property(roomId);
    const room = path`/rooms/${roomId}`;
    for (const target of ["/state", "/members", "/messages?dir=b"])
      must(await reader.get(room + target));
    must(await reader.get("/publicRooms"));
    const writer = await elsewhere(bob);
    const eventId = await say(writer, roomId, "still here");
    must(await writer.get(`${room}/event/${eventId}`));
    must(await writer.post(`${room}/leave`));
  });

  for (const [table, column] of OWN) {
    it(`C17: damage in ${table} never fails a sync, nor what else the user does`, async () => {
      const { alice, bob, roomId, ids } = await scene();
      await server.database.sql.unsafe(
        `update ${table} set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where ${column} = $1`,
        [alice.userId],
      );
      const process = await server.startProcess();
      const reader = process.as(alice);
      const first = await new SyncReader(reader).next();
      expect(first.rooms.join).to.have.property(roomId);
      expect(bodies(first, roomId)).to.deep.equal(["one", "two", "three"]);
      for (const target of [
        path`/rooms/${roomId}/messages` + "?dir=b",
        path`/rooms/${roomId}/event/${ids[0]!}`,
        "/devices",
        "/pushrules/",
        path`/profile/${alice.userId}`,
      ])
        must(await reader.get(target));
      await say(reader, roomId, "still here");
      must(
        await process.as(bob).post("/keys/query", {
          device_keys: { [alice.userId]: [] },
        }),
      );
      const again = path`/user/${alice.userId}/account_data/m.x`;
      must(await reader.put(again, { a: 3 }));
      const name = { displayname: "Alice again" };
      must(await reader.put(path`/profile/${alice.userId}/displayname`, name));
    });
  }

  it("C17: a damaged filter is one that is not there", async () => {
    const { alice } = await scene();
    const stored = await alice.post(path`/user/${alice.userId}/filter`, {});
    const id = must<{ filter_id: string }>(stored).filter_id;
    await server.database.sql`
      update filters set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)`;
    const reader = await elsewhere(alice);
    expect((await reader.get(`/sync?filter=${id}`)).status).to.equal(404);
    await new SyncReader(reader).next();
  });
});
