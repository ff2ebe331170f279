import { expect } from "chai";
import {
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  setState,
} from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Json, TestUser } from "../support/server.ts";

/** What a search engine, a pattern or a database might read as more than words. */
const SYNTAX: readonly string[] = [
  ...["%", "_", "\\", "%secret%", "s_cret", "secret%", "sec\\ret"],
  ...["'; drop table events; --", "' or '1'='1", "$1", "{}", "{a,b}", '{"a'],
  ...["secret:*", "se:*", "!secret", "!nothing", "a | secret", "secret <-> b"],
  ...["(", ")", "&", "|", "a &", "<->", "''", "\\x00", "*", "s*", ".*", "^s"],
  ...["(a+)+$", "[a-z]", "\u202e", "\uffff", "İ", "ﬀ"],
];

/** Those that hold the word; all others are found in no message. */
const FINDS = ["%secret%", "secret%", "secret:*", "!secret"];
/** Those that hold beginnings of the name's words besides. */
const BEGINS = ["s*", "^s", "se:*", "a | secret", "a &", '{"a', "(a+)+$"];

const HUGE = 1_000_000_000;

describe("what is looked for", () => {
  const server = useServer();
  let alice: TestUser;
  let roomId: string;

  before(async () => {
    alice = await server.user("alice");
    must(
      await alice.put(path`/profile/${alice.userId}/displayname`, {
        displayname: "Secret Alice",
      }),
    );
    roomId = await makePublicRoom(alice);
    await say(alice, roomId, "secret");
  });

  const search = (search_term: string, more: Json = {}) =>
    alice.post("/search", {
      search_categories: { room_events: { search_term, ...more } },
    });

  const found = (body: Json) =>
    (body as { search_categories: { room_events: { results: Json[] } } })
      .search_categories.room_events.results;

  it("row 49: is words and nothing else, in messages and in names", async () => {
    for (const term of SYNTAX) {
      const inRooms = await search(term);
      const count = FINDS.includes(term) ? 1 : 0;
      expect(found(must(inRooms)), term).to.have.length(count);
      const inNames = await alice.post("/user_directory/search", {
        search_term: term,
      });
      const { results } = must<{ results: Json[] }>(inNames);
      const isNamed = [...FINDS, ...BEGINS].includes(term);
      expect(results, term).to.have.length(isNamed ? 1 : 0);
    }
  });

  it("row 48: takes no time, however it is written", async () => {
    const cpu = process.cpuUsage();
    for (const text of ["a", "*a", "a ", "会", "(a+", "%_", "\u0301"]) {
      const term = text.repeat(1_000).slice(0, 1_000);
      must(await search(term));
      must(
        await alice.post("/user_directory/search", {
          search_term: term.slice(0, 500),
        }),
      );
    }
    const { user, system } = process.cpuUsage(cpu);
    expect((user + system) / 1000).to.be.below(5_000);
  });

  it("row 66: is given in pages of 100, with 20 events on either side", async () => {
    const room = await makeRoom(alice);
    const texts = Array.from({ length: 150 }, (_, i) => `plenty of it ${i}`);
    await Promise.all(texts.map((text) => say(alice, room, text)));
    const answer = await search("plenty", {
      filter: { limit: HUGE },
      order_by: "recent",
      event_context: { before_limit: HUGE, after_limit: HUGE },
    });
    const results = found(must(answer)) as {
      context: { events_before: Json[]; events_after: Json[] };
    }[];
    expect(results).to.have.length(100);
    const [, ...others] = results;
    const { events_before, events_after } = others[50]!.context;
    expect([events_before.length, events_after.length]).to.deep.equal([20, 20]);
    const users = await alice.post("/user_directory/search", {
      search_term: "secret",
      limit: HUGE,
    });
    must(users);
  }).timeout(30_000);

  it("row 66: a hierarchy goes no deeper than 20, whatever is asked", async () => {
    const space = (name: string) =>
      makeRoom(alice, { name, creation_content: { type: "m.space" } });
    const spaces = [await space("0")];
    for (let i = 1; i < 25; i += 1) {
      spaces.push(await space(`${i}`));
      const child = spaces[i]!;
      const content = { via: ["test"] };
      await setState(alice, spaces[i - 1]!, "m.space.child", content, child);
    }
    const target = path`/rooms/${spaces[0]!}/hierarchy`;
    const page = must<{ rooms: Json[] }>(
      await alice.get(
        `/_matrix/client/v1${target}?max_depth=${HUGE}&limit=${HUGE}`,
      ),
    );
    expect(page.rooms).to.have.length(21);
  }).timeout(30_000);

  it("C5: reads no room by a name, a filter, a token or a group that is another's", async () => {
    const mallory = await server.user("mallory");
    const secret = await makeRoom(alice);
    const eventId = await say(alice, secret, "hushed");
    const criteria = {
      search_term: "hushed",
      filter: { rooms: [secret], limit: 1 },
      order_by: "recent",
      event_context: { before_limit: 20, after_limit: 20 },
      include_state: true,
      groupings: { group_by: [{ key: "room_id" }] },
    };
    const asked = { search_categories: { room_events: criteria } };
    const mine = must(await alice.post("/search", asked));
    expect(JSON.stringify(mine)).to.include(eventId);
    const { next_batch, groups } = (
      mine as {
        search_categories: {
          room_events: {
            next_batch: string;
            groups: Record<string, Record<string, { next_batch: string }>>;
          };
        };
      }
    ).search_categories.room_events;
    const ofGroup = groups["room_id"]![secret]!.next_batch;
    for (const next of ["", next_batch, ofGroup]) {
      const text = JSON.stringify(
        must(await mallory.post(`/search?next_batch=${next}`, asked)),
      );
      for (const told of [eventId, secret, alice.userId])
        expect(text).not.to.include(told);
    }
  });

  it("C5: a predecessor that a room names for itself opens nothing", async () => {
    const mallory = await server.user("mallory2");
    const secret = await makeRoom(alice);
    await say(alice, secret, "ancestral");
    const predecessor = { room_id: secret, event_id: "$x" };
    const own = await makeRoom(mallory, { creation_content: { predecessor } });
    const answer = await mallory.post("/search", {
      search_categories: {
        room_events: { search_term: "ancestral", filter: { rooms: [own] } },
      },
    });
    expect(found(must(answer))).to.deep.equal([]);
  });
});
