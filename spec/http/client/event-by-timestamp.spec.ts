import { expect } from "chai";
import { act, makePublicRoom, must, path, say } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

describe("the event nearest to a time", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const find = (user: TestUser, roomId: string, ts: unknown, dir: string) =>
    user.get(
      `/_matrix/client/v1${path`/rooms/${roomId}/timestamp_to_event`}?ts=${String(ts)}&dir=${dir}`,
    );

  /** Sets the times of events, as if they had been said then. */
  async function sayAt(
    roomId: string,
    times: readonly number[],
  ): Promise<string[]> {
    const ids: string[] = [];
    for (const ts of times) {
      const eventId = await say(alice, roomId, `at ${ts}`);
      await server.database
        .sql`update events set origin_server_ts = ${ts} where event_id = ${eventId}`;
      ids.push(eventId);
    }
    return ids;
  }

  it("is the next one at that time or after it, or the last one at it or before", async () => {
    const roomId = await makePublicRoom(alice);
    const [a, b, c] = await sayAt(roomId, [1_000, 3_000, 2_000]);
    const nearest = async (ts: number, dir: string) =>
      must(await find(alice, roomId, ts, dir));
    expect(await nearest(0, "f")).to.deep.equal({
      event_id: a,
      origin_server_ts: 1_000,
    });
    expect((await nearest(1_000, "f"))["event_id"]).to.equal(a);
    expect((await nearest(1_001, "f"))["event_id"]).to.equal(c);
    expect((await nearest(2_500, "f"))["event_id"]).to.equal(b);
    expect((await nearest(2_999, "b"))["event_id"]).to.equal(c);
    expect((await nearest(5_000, "b"))["event_id"]).to.equal(b);
    const before = await find(alice, roomId, 999, "b");
    expect([before.status, before.body["errcode"]]).to.deep.equal([
      404,
      "M_NOT_FOUND",
    ]);
    const later = Date.now() + 1_000_000;
    expect((await find(alice, roomId, later, "f")).status).to.equal(404);
  });

  it("is the nearest in the room's order where times are the same", async () => {
    const roomId = await makePublicRoom(alice);
    const ids = await sayAt(roomId, [7, 7, 7]);
    const at = async (ts: number, dir: string) =>
      must(await find(alice, roomId, ts, dir))["event_id"];
    expect(await at(6, "f")).to.equal(ids[0]);
    expect(await at(7, "f")).to.equal(ids[0]);
    expect(await at(7, "b")).to.equal(ids[2]);
    expect(await at(8, "b")).to.equal(ids[2]);
  });

  it("is one that may be seen, however many may not", async () => {
    const roomId = await makePublicRoom(alice, "joined");
    await sayAt(
      roomId,
      Array.from({ length: 60 }, (_, i) => i),
    );
    await act(bob, roomId, "join");
    const [seen] = await sayAt(roomId, [50]);
    expect(must(await find(bob, roomId, 0, "f"))["event_id"]).to.equal(seen);
    expect((await find(bob, roomId, 49, "b")).status).to.equal(404);
  });

  it("is told to nobody who may not read the room, and to nobody that there is one", async () => {
    const roomId = await makePublicRoom(alice);
    const mallory = await server.user("mallory");
    const real = await find(mallory, roomId, 0, "f");
    const absent = await find(mallory, `!${"x".repeat(43)}`, 0, "f");
    expect(real.status).to.equal(403);
    expect(real.text).to.equal(absent.text);
  });

  it("needs a time and a direction", async () => {
    const roomId = await makePublicRoom(alice);
    for (const [ts, dir] of [
      ["x", "f"],
      ["1.5", "f"],
      ["99999999999999999999", "f"],
      ["0", "up"],
    ] as const)
      expect((await find(alice, roomId, ts, dir)).status).to.equal(400);
    const target = path`/rooms/${roomId}/timestamp_to_event`;
    const none = await alice.get(`/_matrix/client/v1${target}?ts=0`);
    expect(none.body["errcode"]).to.equal("M_MISSING_PARAM");
    const old = `/_matrix/client/unstable/org.matrix.msc3030${target}?ts=0&dir=f`;
    must(await alice.get(old));
  });
});
