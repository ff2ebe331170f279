import { expect } from "chai";
import fc from "fast-check";
import {
  type TestClient,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import {
  type SyncAnswer,
  type SyncEvent,
  SyncReader,
} from "../../support/sync-reader.ts";

/** State as a client holds it: event ids by type and state key. */
type State = Map<string, string>;

type Action =
  | { do: "say" }
  | { do: "set"; type: string; key: string }
  | {
      do: "move";
      who: number;
      how: "join" | "leave" | "kick" | "ban" | "unban";
    };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ do: "say" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("set" as const),
      type: fc.constantFrom("m.room.topic", "m.room.name", "org.test.state"),
      key: fc.constantFrom("", "a", "__proto__"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("move" as const),
      who: fc.nat({ max: 2 }),
      how: fc.constantFrom("join", "leave", "kick", "ban", "unban" as const),
    }),
  },
);

const comes: fc.Arbitrary<Action> = fc.record({
  do: fc.constant("move" as const),
  who: fc.constant(0),
  how: fc.constantFrom("join", "join", "leave", "kick" as const),
});

const keyOf = ({ type, state_key }: SyncEvent) => `${type} ${state_key}`;

const apply = (state: State, events: readonly SyncEvent[]): State =>
  new Map([
    ...state,
    ...events
      .filter((event) => event.state_key !== undefined)
      .map((event) => [keyOf(event), event.event_id] as const),
  ]);

const sorted = (state: State) => [...state].toSorted();

describe("the state that a sync tells", () => {
  const server = useServer();
  let owner: TestUser;
  const guests: TestUser[] = [];
  before(async () => {
    owner = await server.user("owner");
    for (const name of ["ann", "ben", "cat"])
      guests.push(await server.user(name));
  });

  let count = 0;

  /** Answers the id of what was sent, where it is known. */
  async function perform(
    roomId: string,
    act: Action,
  ): Promise<string | undefined> {
    const room = `/rooms/${encodeURIComponent(roomId)}`;
    count += 1;
    if (act.do === "say") {
      const { body } = await owner.put(`${room}/send/m.room.message/${count}`, {
        msgtype: "m.text",
        body: "hello",
      });
      return String(body["event_id"]);
    }
    if (act.do === "set")
      await owner.put(`${room}/state/${act.type}/${act.key}`, {
        name: `n${count}`,
        topic: `t${count}`,
      });
    else {
      const guest = guests[act.who]!;
      // What is refused, such as to kick one who is away, changes nothing.
      if (act.how === "join" || act.how === "leave")
        await guest.post(`${room}/${act.how}`);
      else await owner.post(`${room}/${act.how}`, { user_id: guest.userId });
    }
    return undefined;
  }

  /** Asks the room itself, not the sync, for its state. */
  async function oracle(client: TestClient, roomId: string): Promise<State> {
    const { text } = await client.get(
      `/rooms/${encodeURIComponent(roomId)}/state`,
    );
    return apply(new Map(), JSON.parse(text) as SyncEvent[]);
  }

  it("is the room's before the timeline, or with state_after at its end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(action, fc.boolean()), {
          minLength: 3,
          maxLength: 14,
        }),
        fc.integer({ min: 0, max: 4 }),
        fc.boolean(),
        async (actions, limit, useStateAfter) => {
          const { body } = await owner.post("/createRoom", {
            preset: "public_chat",
          });
          const roomId = String(body["room_id"]);
          const filter = { room: { rooms: [roomId], timeline: { limit } } };
          const reader = new SyncReader(owner, {
            filter,
            use_state_after: useStateAfter,
          });
          /** The room's state before each event, by its id. */
          const before = new Map<string, State>();
          let now = await oracle(owner, roomId);
          let known: State = new Map();

          const check = (answer: SyncAnswer) => {
            const room = answer.rooms.join[roomId];
            if (!room) {
              expect(sorted(known)).to.deep.equal(sorted(now));
              return;
            }
            const { events } = room.timeline;
            expect(events).to.have.length.at.most(limit);
            if (useStateAfter) {
              expect(room).not.to.have.property("state");
              known = apply(known, room.state_after!.events);
            } else {
              expect(room).not.to.have.property("state_after");
              known = apply(known, room.state!.events);
              const [first] = events;
              const start = first ? before.get(first.event_id) : now;
              // Of what createRoom itself has sent, only the end is known.
              if (start) expect(sorted(known)).to.deep.equal(sorted(start));
              known = apply(known, events);
            }
            expect(sorted(known)).to.deep.equal(sorted(now));
          };

          for (const [act, isSynced] of actions) {
            const start = now;
            const sentId = await perform(roomId, act);
            now = await oracle(owner, roomId);
            if (sentId !== undefined) before.set(sentId, start);
            for (const [key, id] of now)
              if (start.get(key) !== id) before.set(id, start);
            if (isSynced) check(await reader.next());
          }
          check(await reader.next());
          known = new Map();
          check(await reader.next({ full_state: true }));
          reader.since = undefined;
          known = new Map();
          check(await reader.next());
        },
      ),
      { numRuns: 25 },
    );
  }).timeout(120_000);

  it("is the room's, or what one left behind, for who comes and goes and sees no history", async () => {
    const [ann] = guests as [TestUser];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.oneof(action, comes), fc.boolean()), {
          minLength: 3,
          maxLength: 14,
        }),
        fc.integer({ min: 0, max: 4 }),
        fc.constantFrom("joined", "invited", "shared"),
        fc.boolean(),
        fc.boolean(),
        async (actions, limit, visibility, useStateAfter, isOfMessages) => {
          const { body } = await owner.post("/createRoom", {
            preset: "public_chat",
            initial_state: [
              {
                type: "m.room.history_visibility",
                state_key: "",
                content: { history_visibility: visibility },
              },
            ],
          });
          const roomId = String(body["room_id"]);
          const timeline = {
            limit,
            ...(isOfMessages && { types: ["m.room.message"] }),
          };
          const filter = {
            room: { rooms: [roomId], timeline, include_leave: true },
          };
          const reader = new SyncReader(ann, {
            filter,
            use_state_after: useStateAfter,
          });
          await reader.next();
          let known: State = new Map();
          const take = ({ rooms }: SyncAnswer) => {
            const room = rooms.join[roomId] ?? rooms.leave[roomId];
            const { state, state_after: after } = room ?? {};
            const events = after ? [] : (room?.timeline.events ?? []);
            known = apply(known, (after ?? state)?.events ?? []);
            known = apply(known, events);
          };
          const check = async () => {
            const path = `/rooms/${encodeURIComponent(roomId)}/state`;
            const { status, text } = await ann.get(path);
            if (status !== 200) return;
            const now = apply(new Map(), JSON.parse(text) as SyncEvent[]);
            // A ban after the leave is told of, but is not in what was left behind.
            for (const state of [known, now])
              state.delete(`m.room.member ${ann.userId}`);
            expect(sorted(known)).to.deep.equal(sorted(now));
          };
          for (const [act, isSynced] of actions) {
            const isAnn = act.do === "move";
            await perform(roomId, isAnn ? { ...act, who: 0 } : act);
            if (!isSynced) continue;
            take(await reader.next());
            await check();
          }
          take(await reader.next());
          await check();
          reader.since = undefined;
          known = new Map();
          take(await reader.next());
          await check();
        },
      ),
      { numRuns: 15 },
    );
  }).timeout(120_000);
});
