import { expect } from "chai";
import { parseRoomEventFilter } from "../../../src/core/filter.ts";
import { findRoomIdentity } from "../../../src/domain/rooms/room-identity.ts";
import type { RoomPlan } from "../../../src/domain/sync/room-plan.ts";
import { readTimelines } from "../../../src/domain/sync/room-timelines.ts";
import { makeRoom, must, path, say } from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("readTimelines", () => {
  const server = useServer();
  const shown = parseRoomEventFilter({ limit: 100, types: ["m.room.message"] });
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  async function planOf(count: number): Promise<RoomPlan> {
    const roomId = await makeRoom(alice);
    for (let i = 0; i < count; i += 1) await say(alice, roomId, String(i));
    const { roomNid } = (await findRoomIdentity(server.edges, roomId))!;
    return {
      ...{ roomNid, roomId, section: "join", isNew: true },
      ...{ isNewlyJoined: false, after: 0, ownPosition: 0 },
      ...{ upTo: server.edges.notifier.position, stateUpTo: null },
    };
  }

  async function read(plans: readonly RoomPlan[], budget: number) {
    const all = await readTimelines(
      server.edges,
      alice.userId,
      plans,
      shown,
      new Set<string>(),
      budget,
    );
    return plans.map(({ roomNid }) => all.get(roomNid)!);
  }

  it("shares a budget out among rooms: what the quiet ones leave goes to the loud ones", async () => {
    const plans = [
      ...[await planOf(12), await planOf(1), await planOf(12)],
      ...[await planOf(2), await planOf(0)],
    ];
    const timelines = await read(plans, 15);
    expect(
      timelines.map(({ events, isLimited }) => [events.length, isLimited]),
    ).to.deep.equal([
      [6, true],
      [1, false],
      [6, true],
      [2, false],
      [0, false],
    ]);
    const [{ events, prevBatch }] = timelines as [(typeof timelines)[0]];
    expect(events.map(({ event }) => event.pdu.content["body"])).to.deep.equal([
      "6",
      "7",
      "8",
      "9",
      "10",
      "11",
    ]);
    const { chunk } = must<{ chunk: { content: { body: string } }[] }>(
      await alice.get(
        `${path`/rooms/${plans[0]!.roomId}/messages`}?dir=b&limit=2&from=${prevBatch}`,
      ),
    );
    expect(chunk.map(({ content }) => content.body)).to.deep.equal(["5", "4"]);
  });

  it("cuts nothing where all of it fits, and leaves no room out where little does", async () => {
    const plans = [await planOf(6), await planOf(3)];
    const lengths = async (budget: number) =>
      (await read(plans, budget)).map(({ events }) => events.length);
    expect(await lengths(9)).to.deep.equal([6, 3]);
    expect(await lengths(1)).to.deep.equal([1, 1]);
  });
});
