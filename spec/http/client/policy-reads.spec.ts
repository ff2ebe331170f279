import { expect } from "chai";
import fc from "fast-check";
import type { PolicyDocument } from "../../../src/core/policy/document.ts";
import {
  downloadPath,
  thumbnailPath,
  uploadImage,
} from "../../support/media.ts";
import { policyMakers, type PolicyMakers } from "../../support/policies.ts";
import {
  attributes,
  mayAct,
  policies,
  type World,
} from "../../support/random-policies.ts";
import { getMessages, must, path, send } from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";
import { HistoryOracle } from "./history-oracle.ts";
import { readPaths } from "./history-reads.ts";
import { RoomInPlay, steps, type Step } from "./history-room.ts";
import type { Scene } from "./history-scene.ts";
import { watchRoom } from "./history-watch.ts";

/** Of who may not read a room: they are not in it, and never were. */
class WithheldOracle extends HistoryOracle {
  constructor(viewer: string) {
    super([], viewer, undefined);
  }

  override maySee(): boolean {
    return false;
  }
}

/** What tells who was in a room that they are no more says nothing else of it. */
const POSITION = "sliding sync from a position";

async function checkWithheldPosition({ watch }: Scene): Promise<void> {
  const room = await watch.sliding.next(watch.sliding.limit);
  if (!room) return;
  expect(room.membership).to.equal("leave");
  expect([room.timeline, room.required_state]).to.deep.equal([[], []]);
  expect(room).not.to.have.any.keys("name", "heroes", "avatar", "invite_state");
}

describe("policies of reading", () => {
  const server = useServer();
  let makers: PolicyMakers;
  let owner: TestUser;
  let guests: TestUser[];
  let stranger: TestUser;

  before(async () => {
    makers = await policyMakers(server);
    owner = await server.user("alice");
    stranger = await server.user("stranger");
    guests = [await server.user("bob"), await server.user("carol")];
  });

  /** Plays a room, puts a policy in force, and reads the room by every way there is. */
  async function check(
    script: readonly Step[],
    chance: number,
    document: PolicyDocument,
    said: { room: Json; users: Json[] },
  ): Promise<number> {
    const inPlay = await RoomInPlay.begin(owner, guests);
    const { roomId } = inPlay;
    const mediaId = await uploadImage(owner);
    await send(owner, roomId, "m.room.message", {
      ...{ msgtype: "m.image", body: "a word", url: `mxc://test/${mediaId}` },
    });
    await inPlay.play(script.slice(0, 6));
    const viewers = [owner, ...guests, stranger];
    const { length: at } = (await inPlay.look()).events;
    const watches = await watchRoom(viewers, roomId, at, chance);
    await inPlay.play(script.slice(6));
    const { events, forgotten, roots } = await inPlay.look();
    const limit = 1 + (chance % (events.length - 1));
    const token = (await getMessages(owner, roomId, { dir: "f", limit })).end!;
    await makers.describeRoom(roomId, said.room);
    for (const [i, user] of viewers.entries())
      await makers.describeUser(user.userId, said.users[i]!);
    await makers.enact("reading", document);
    let withheld = 0;
    try {
      for (const [i, viewer] of viewers.entries()) {
        const { userId } = viewer;
        const rule = events.findLast(
          ({ type }) => type === "m.room.join_rules",
        );
        const isOpen = rule?.content["join_rule"] === "public";
        const world: World = {
          user: said.users[i]!,
          resource: {
            ...{ encrypted: false, class: isOpen ? "public" : "private" },
            ...said.room,
          },
          ...{ network: "127.0.0.1", isVerified: false, ts: 0 },
        };
        const mayRead = mayAct(document, "read", world);
        if (!mayRead) withheld += 1;
        const oracle = mayRead
          ? new HistoryOracle(events, userId, forgotten.get(userId))
          : new WithheldOracle(userId);
        const scene: Scene = {
          ...{ viewer, roomId, events, oracle, roots, chance, token },
          places: [0, 1, 2, 3, 4, 5].map(
            (n) => (chance + n * 7) % events.length,
          ),
          ...{ watch: watches.get(viewer)!, tokenAt: limit },
        };
        for (const { name, check: isRead } of readPaths)
          await (
            name === POSITION && !mayRead ? checkWithheldPosition : isRead
          )(scene).catch((error: unknown) => {
            throw new Error(
              `${name} of ${userId}, ${mayRead}: ${String(error)}`,
              {
                cause: error,
              },
            );
          });
        const isIn = oracle.membership === "join";
        const members = await viewer.get(path`/rooms/${roomId}/joined_members`);
        expect(members.status, "joined_members").to.equal(isIn ? 200 : 403);
        const joined = must<{ joined_rooms: string[] }>(
          await viewer.get("/joined_rooms"),
        );
        expect(joined.joined_rooms.includes(roomId)).to.equal(isIn);
        const mayHave = mayRead && mayAct(document, "media_download", world);
        for (const target of [
          downloadPath(mediaId),
          thumbnailPath(mediaId, { width: 32, height: 32 }),
        ])
          expect((await viewer.get(target)).status, target).to.equal(
            mayHave ? 200 : 403,
          );
      }
    } finally {
      await makers.lift("reading");
    }
    return withheld;
  }

  it("G9: hold on every way to read a room, as a naive oracle says, for any policy", async function () {
    this.timeout(120_000);
    const counts = { withheld: 0, runs: 0 };
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.nat(),
        policies(["read", "media_download"]),
        attributes,
        fc.tuple(attributes, attributes, attributes, attributes),
        async (script, chance, document, room, users) => {
          counts.withheld += await check(script, chance, document, {
            room,
            users,
          });
          counts.runs += 1;
        },
      ),
      { numRuns: 15, endOnFailure: true },
    );
    expect(counts.runs).to.equal(15);
    expect(counts.withheld).to.be.within(5, 15 * 4 - 5);
    expect(readPaths.length).to.be.at.least(14);
  });
});
