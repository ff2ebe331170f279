import { expect } from "chai";
import fc from "fast-check";
import {
  getMessages,
  idsOf,
  makePublicRoom,
  must,
  pageThrough,
  path,
} from "../../support/rooms.ts";
import type { RoomEvent } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";
import { HistoryOracle } from "./history-oracle.ts";

/** Something that one of Alice's guests does, or that she does to one. */
type Step =
  | { what: "join" | "leave" | "forget" | "say" | "rename"; who: number }
  | { what: "invite" | "kick" | "ban" | "unban"; who: number }
  | { what: "visibility"; value: string }
  | { what: "topic" };

const who = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant("join"), who }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("leave"), who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("forget"), who }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("say"), who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("rename"), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom("invite", "kick", "ban", "unban"),
      who,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("visibility"),
      value: fc.constantFrom(
        "world_readable",
        "shared",
        "invited",
        "joined",
        "of no kind",
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("topic") }) },
) as fc.Arbitrary<Step>;

interface Context {
  events_before: RoomEvent[];
  events_after: RoomEvent[];
  state: RoomEvent[];
}

describe("room history visibility", () => {
  const server = useServer();
  let alice: TestUser;
  let guests: TestUser[];
  let stranger: TestUser;

  before(async () => {
    alice = await server.user("alice");
    guests = await Promise.all(
      ["bob", "carol", "dave"].map((name) => server.user(name)),
    );
    stranger = await server.user("stranger");
  });

  /** Does it, if the room lets them; notes the membership with which a guest forgot the room. */
  async function take(
    roomId: string,
    made: Step,
    at: number,
    forgotten: Map<string, string>,
  ): Promise<void> {
    const state = (user: TestUser, type: string, content: Json, key = "") =>
      user.put(path`/rooms/${roomId}/state/${type}/${key}`, content);
    if (made.what === "visibility") {
      const history_visibility = made.value;
      await state(alice, "m.room.history_visibility", { history_visibility });
      return;
    }
    if (made.what === "topic") {
      await state(alice, "m.room.topic", { topic: `${at}` });
      return;
    }
    const guest = guests[made.who]!;
    if (made.what === "say") {
      const target = path`/rooms/${roomId}/send/m.room.message/${`${at}`}`;
      for (const user of [alice, guest]) await user.put(target, { body: "x" });
      return;
    }
    if (made.what === "rename") {
      const content = { membership: "join", displayname: `${at}` };
      const target = path`/rooms/${roomId}/joined_members`;
      const isIn = (await guest.get(target)).status === 200;
      if (isIn) await state(guest, "m.room.member", content, guest.userId);
      return;
    }
    const isOwn = ["join", "leave", "forget"].includes(made.what);
    const answer = await (isOwn ? guest : alice).post(
      `${path`/rooms/${roomId}/`}${made.what}`,
      isOwn ? {} : { user_id: guest.userId },
    );
    if (answer.status !== 200 || made.what !== "forget") return;
    const target = path`/rooms/${roomId}/state/m.room.member/${guest.userId}`;
    const member = must(await alice.get(`${target}?format=event`));
    forgotten.set(guest.userId, member["event_id"] as string);
  }

  /** All of the room, as Alice, who was always in it, reads it. */
  async function readAll(roomId: string): Promise<RoomEvent[]> {
    const events = await pageThrough(alice, roomId, { dir: "f", limit: 50 });
    const stored = await server.edges.db<{ eventId: string }[]>`
      select e.event_id from events e join rooms r on r.room_nid = e.room_nid
      where r.room_id = ${roomId} order by e.position`;
    expect(idsOf(events)).to.deep.equal(stored.map(({ eventId }) => eventId));
    return events;
  }

  async function checkHistory(
    viewer: TestUser,
    roomId: string,
    events: RoomEvent[],
    oracle: HistoryOracle,
  ) {
    const expected = oracle.history().map((index) => events[index]!.event_id);
    const forth = await pageThrough(viewer, roomId, { dir: "f", limit: 7 });
    expect(idsOf(forth)).to.deep.equal(expected);
    const back = await pageThrough(viewer, roomId, { dir: "b", limit: 5 });
    expect(idsOf(back)).to.deep.equal(expected.reverse());
  }

  async function checkEvents(
    viewer: TestUser,
    roomId: string,
    events: RoomEvent[],
    oracle: HistoryOracle,
  ) {
    const answers = await Promise.all(
      events.map(({ event_id: id }) =>
        viewer.get(path`/rooms/${roomId}/event/${id}`),
      ),
    );
    const seen = answers.map(({ status }) => status === 200);
    const expected = events.map(
      (_, index) => oracle.mayAsk() && oracle.maySee(index),
    );
    expect(seen).to.deep.equal(expected);
  }

  async function checkContext(
    viewer: TestUser,
    roomId: string,
    events: RoomEvent[],
    oracle: HistoryOracle,
    at: number,
  ) {
    const target = path`/rooms/${roomId}/context/${events[at]!.event_id}`;
    const answer = await viewer.get(`${target}?limit=1000`);
    if (!oracle.mayAsk() || !oracle.maySee(at)) {
      expect(answer.status).to.equal(404);
      return;
    }
    const found = must<Context>(answer);
    const history = oracle.history();
    const idsAt = (indexes: number[]) =>
      indexes.map((i) => events[i]!.event_id);
    const before = history.filter((index) => index < at).reverse();
    const after = history.filter((index) => index > at);
    expect(idsOf(found.events_before)).to.deep.equal(idsAt(before));
    expect(idsOf(found.events_after)).to.deep.equal(idsAt(after));
    const last = after.at(-1) ?? at;
    expect(idsOf(found.state)).to.have.members(oracle.state(last + 1));
  }

  async function checkState(
    viewer: TestUser,
    roomId: string,
    oracle: HistoryOracle,
    token: string,
    tokenAt: number,
  ) {
    const [state, members, membersAt] = await Promise.all([
      viewer.get(path`/rooms/${roomId}/state`),
      viewer.get(path`/rooms/${roomId}/members`),
      viewer.get(`${path`/rooms/${roomId}/members`}?at=${token}`),
    ]);
    const { end } = oracle;
    if (end === undefined) {
      for (const answer of [state, members, membersAt]) {
        expect(answer.status).to.equal(403);
      }
      const target = `${path`/rooms/${roomId}/messages`}?dir=b`;
      expect((await viewer.get(target)).status).to.equal(403);
      return;
    }
    const member = "m.room.member";
    const stateIds = idsOf(
      must<RoomEvent[]>({
        ...state,
        body: JSON.parse(state.text) as Json,
      }),
    );
    expect(stateIds).to.have.members(oracle.state(end));
    const chunkOf = (answer: typeof members) =>
      idsOf(must<{ chunk: RoomEvent[] }>(answer).chunk);
    expect(chunkOf(members)).to.have.members(oracle.state(end, member));
    const then = oracle.state(Math.min(end, tokenAt), member);
    expect(chunkOf(membersAt)).to.have.members(then);
  }

  it("shows on /messages, /event, /context, /state and /members what a naive oracle says, in rooms where anything happens", async function () {
    this.timeout(60_000);
    let checked = 0;
    const room = fc.array(step, { minLength: 20, maxLength: 60 });
    const property = fc.asyncProperty(
      room,
      fc.nat(),
      async (steps, anyPlace) => {
        const roomId = await makePublicRoom(alice);
        const forgotten = new Map<string, string>();
        for (const [at, made] of steps.entries()) {
          await take(roomId, made, at, forgotten);
        }
        const events = await readAll(roomId);
        const limit = 1 + (anyPlace % (events.length - 1));
        const page = await getMessages(alice, roomId, { dir: "f", limit });
        const token = page.end!;
        for (const viewer of [alice, ...guests, stranger]) {
          const { userId } = viewer;
          const oracle = new HistoryOracle(
            events,
            userId,
            forgotten.get(userId),
          );
          await checkEvents(viewer, roomId, events, oracle);
          await checkState(viewer, roomId, oracle, token, limit);
          if (oracle.mayAsk()) {
            await checkHistory(viewer, roomId, events, oracle);
          }
          for (let i = 0; i < 6; i++) {
            const at = (anyPlace + i * 7) % events.length;
            await checkContext(viewer, roomId, events, oracle, at);
          }
          checked += events.length;
        }
      },
    );
    await fc.assert(property, { numRuns: 8, endOnFailure: true });
    expect(checked).to.be.greaterThan(8 * 5 * 20);
  });
});
