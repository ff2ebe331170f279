import { expect } from "chai";
import { readWholeAnswer } from "../../../src/domain/sync/whole-answer.ts";
import { readUserView } from "../../../src/domain/sync/user-view.ts";
import { parseClientFilter } from "../../../src/core/filter.ts";
import type { UserId } from "../../../src/core/ids.ts";
import { path } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import { SyncReader } from "../../support/sync-reader.ts";

const ROOMS = 510;
const AT_ONCE = 16;

describe("a sync of more rooms than are read at once", () => {
  const server = useServer();

  it("tells all of them, joined and left, in pieces that are one answer", async function () {
    this.timeout(120_000);
    const alice = await server.user("alice");
    const roomIds: string[] = [];
    const makeRooms = async (): Promise<void> => {
      while (roomIds.length < ROOMS) {
        const at = roomIds.push("") - 1;
        const { body } = await alice.post("/createRoom", {});
        roomIds[at] = String(body["room_id"]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, makeRooms));
    const [left, ...joined] = roomIds;
    await alice.post(path`/rooms/${left!}/leave`);

    const filter = { room: { include_leave: true } };
    const told = await new SyncReader(alice, { filter }).next();
    expect(Object.keys(told.rooms.join)).to.have.members(joined);
    expect(Object.keys(told.rooms.leave)).to.deep.equal([left]);
    const { timeline, state } = told.rooms.join[joined.at(-1)!]!;
    const types = [...state!.events, ...timeline.events].map(
      ({ type }) => type,
    );
    expect(types).to.include.members(["m.room.create", "m.room.member"]);

    const { edges } = server;
    const upTo = await edges.notifier.refresh();
    const view = await readUserView(edges, alice.userId, upTo);
    const answer = await readWholeAnswer(
      edges,
      {
        requester: {
          userId: alice.userId as UserId,
          deviceId: alice.deviceId,
          tokenId: 0,
          isGuest: false,
          isSuspended: false,
        },
        filter: parseClientFilter({}),
        since: null,
        isFullState: false,
        stateAfterName: null,
        timeoutMs: 0,
      },
      view,
      edges.notifier.ephemeralMark,
    );
    const rest: string[] = [];
    for await (const piece of answer.rest ?? []) rest.push(piece);
    const whole = JSON.parse(answer.text + rest.join("")) as typeof told;
    expect(rest).to.have.length.above(1);
    expect(Object.keys(whole.rooms.join)).to.have.members(joined);
    expect(whole.rooms.leave).to.deep.equal({});
  });
});
