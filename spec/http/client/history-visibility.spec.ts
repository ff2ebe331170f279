import { expect } from "chai";
import fc from "fast-check";
import {
  type Bundled,
  relatesTo,
  relationsPath,
  threadsPath,
} from "../../support/relations.ts";
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
    roots: string[],
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
      const root = at % 3 === 0 ? undefined : roots[at % roots.length];
      const relation = root === undefined ? {} : relatesTo("m.thread", root);
      for (const user of [alice, guest]) {
        const { body } = await user.put(target, { body: "x", ...relation });
        const isRoot = root === undefined && body["event_id"] !== undefined;
        if (isRoot) roots.push(String(body["event_id"]));
      }
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

  /** Of each thread: its replies, on `/relations` and beside its root, and its place on `/threads`. */
  async function checkThreads(
    viewer: TestUser,
    roomId: string,
    events: RoomEvent[],
    oracle: HistoryOracle,
    roots: readonly string[],
  ) {
    const rootOf = (event: RoomEvent): unknown =>
      (event.content["m.relates_to"] as Json | undefined)?.["event_id"];
    const isSeen = (index: number): boolean =>
      oracle.mayAsk() && oracle.maySee(index);
    const threads = new Map<string, string[]>();
    for (const root of roots) {
      const replies = events
        .filter((event, index) => rootOf(event) === root && isSeen(index))
        .map((event) => event.event_id)
        .reverse();
      const at = events.findIndex((event) => event.event_id === root);
      const related = await viewer.get(relationsPath(roomId, root));
      expect(related.status === 200).to.equal(isSeen(at));
      if (!isSeen(at)) continue;
      const { chunk } = must<{ chunk: RoomEvent[] }>(related);
      expect(idsOf(chunk)).to.deep.equal(replies.slice(0, 20));
      const target = path`/rooms/${roomId}/event/${root}`;
      const { unsigned } = must<Bundled>(await viewer.get(target));
      const thread = unsigned["m.relations"]?.["m.thread"];
      expect(thread?.count ?? 0).to.equal(replies.length);
      expect(thread?.latest_event.event_id).to.equal(replies[0]);
      if (replies.length > 0) threads.set(root, replies);
    }
    const listed = await viewer.get(threadsPath(roomId));
    expect(listed.status === 200).to.equal(oracle.mayAsk());
    if (!oracle.mayAsk()) return;
    const places = new Map(events.map((event, at) => [event.event_id, at]));
    const placeOf = (root: string) => places.get(threads.get(root)![0]!)!;
    const expected = [...threads.keys()].sort(
      (a, b) => placeOf(b) - placeOf(a),
    );
    const { chunk } = must<{ chunk: RoomEvent[] }>(listed);
    expect(idsOf(chunk)).to.deep.equal(expected.slice(0, 20));
  }

  it("shows on /messages, /event, /context, /relations, /threads, /state and /members what a naive oracle says, in rooms where anything happens", async function () {
    this.timeout(60_000);
    let checked = 0;
    const room = fc.array(step, { minLength: 20, maxLength: 60 });
    const property = fc.asyncProperty(
      room,
      fc.nat(),
      async (steps, anyPlace) => {
        const roomId = await makePublicRoom(alice);
        const forgotten = new Map<string, string>();
        const roots: string[] = [];
        for (const [at, made] of steps.entries()) {
          await take(roomId, made, at, forgotten, roots);
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
          await checkThreads(viewer, roomId, events, oracle, roots);
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
