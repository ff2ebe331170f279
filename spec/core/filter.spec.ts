import { expect } from "chai";
import { MatrixError } from "../../src/core/errors.ts";
import { selectEventFields } from "../../src/core/event-fields.ts";
import {
  matchesEventFilter,
  matchesRelatedBy,
  matchesRoomEventFilter,
  matchesRooms,
  parseClientFilter,
  parseRoomEventFilter,
} from "../../src/core/filter.ts";
import type { JsonValue } from "../../src/core/json.ts";

describe("parseClientFilter", () => {
  it("fills in the defaults", () => {
    const filter = parseClientFilter({});
    expect(filter).to.include({ eventFields: null, eventFormat: "client" });
    expect(filter.room).to.include({ rooms: null, includeLeave: false });
    expect(filter.room.timeline).to.include({
      limit: 10,
      types: null,
      containsUrl: null,
      lazyLoadMembers: false,
      includeRedundantMembers: false,
      unreadThreadNotifications: false,
    });
  });

  it("reads what clients send", () => {
    const filter = parseClientFilter({
      event_fields: ["content.body"],
      event_format: "federation",
      presence: { not_types: ["*"] },
      room: {
        include_leave: true,
        not_rooms: ["!a"],
        state: { lazy_load_members: true, include_redundant_members: true },
        timeline: {
          limit: 2_000_000,
          unread_thread_notifications: true,
          contains_url: false,
        },
      },
    });
    expect(filter).to.deep.include({
      eventFields: ["content.body"],
      eventFormat: "federation",
    });
    expect(filter.presence.notTypes).to.deep.equal(["*"]);
    expect(filter.room).to.deep.include({
      includeLeave: true,
      notRooms: ["!a"],
    });
    expect(filter.room.state).to.include({
      lazyLoadMembers: true,
      includeRedundantMembers: true,
    });
    expect(filter.room.timeline).to.include({
      limit: 1_000,
      containsUrl: false,
      unreadThreadNotifications: true,
    });
  });

  it("refuses what is no filter, and lists without end", () => {
    const many = Array.from({ length: 1_001 }, () => "x");
    const bad: JsonValue[] = [
      null,
      [],
      "x",
      { room: [] },
      { room: { timeline: 1 } },
      { room: { timeline: { limit: -1 } } },
      { room: { timeline: { limit: 1.5 } } },
      { room: { timeline: { limit: "1" } } },
      { room: { timeline: { types: "m.x" } } },
      { room: { timeline: { types: many } } },
      { room: { timeline: { senders: ["alice"] } } },
      { room: { timeline: { contains_url: "yes" } } },
      { room: { rooms: ["#a:s"] } },
      { room: { include_leave: 1 } },
      { event_format: "xml" },
      { event_fields: [1] },
      { presence: { not_senders: [null] } },
    ];
    for (const value of bad) {
      expect(() => parseClientFilter(value), JSON.stringify(value).slice(0, 60))
        .to.throw(MatrixError)
        .with.property("errcode", "M_BAD_JSON");
    }
  });
});

describe("matchesEventFilter", () => {
  const matches = (filter: JsonValue, type: string, sender = "@a:s") =>
    matchesEventFilter(parseRoomEventFilter(filter), { type, sender });

  it("takes * for any characters, and nothing else for a sign", () => {
    expect(matches({ types: ["m.room.*"] }, "m.room.message")).to.equal(true);
    expect(matches({ types: ["m.*.message"] }, "m.room.message")).to.equal(
      true,
    );
    expect(matches({ types: ["*"] }, "x")).to.equal(true);
    expect(matches({ types: ["m.room.messag?"] }, "m.room.message")).to.equal(
      false,
    );
    expect(matches({ types: ["M.ROOM.*"] }, "m.room.message")).to.equal(false);
    expect(matches({ types: ["m.room"] }, "m.room.message")).to.equal(false);
    expect(matches({ types: [] }, "m.room.message")).to.equal(false);
  });

  it("lets exclusion win", () => {
    const filter = { types: ["m.*"], not_types: ["m.room.member"] };
    expect(matches(filter, "m.room.member")).to.equal(false);
    expect(matches(filter, "m.room.name")).to.equal(true);
    const senders = { senders: ["@a:s", "@b:s"], not_senders: ["@b:s"] };
    expect(matches(senders, "m.x", "@a:s")).to.equal(true);
    expect(matches(senders, "m.x", "@b:s")).to.equal(false);
    expect(matches(senders, "m.x", "@c:s")).to.equal(false);
  });

  it("C10 row 48: needs no time for a pattern of stars", () => {
    const types = Array.from({ length: 1_000 }, () => "*a".repeat(120) + "b");
    expect(matches({ types }, "a".repeat(255))).to.equal(false);
  });
});

describe("matchesRoomEventFilter", () => {
  it("asks for a url, or for none", () => {
    const matches = (
      contains_url: boolean,
      content: Record<string, JsonValue>,
    ) =>
      matchesRoomEventFilter(parseRoomEventFilter({ contains_url }), {
        type: "m.x",
        sender: "@a:s",
        content,
      });
    expect(matches(true, { url: "mxc://s/1" })).to.equal(true);
    expect(matches(true, {})).to.equal(false);
    expect(matches(false, { url: "mxc://s/1" })).to.equal(false);
    expect(matches(false, { body: "x" })).to.equal(true);
  });

  it("chooses rooms", () => {
    const filter = parseRoomEventFilter({
      rooms: ["!a", "!b"],
      not_rooms: ["!b"],
    });
    expect(
      ["!a", "!b", "!c"].map((room) => matchesRooms(filter, room)),
    ).to.deep.equal([true, false, false]);
  });
});

describe("matchesRelatedBy", () => {
  it("wants one relation that meets both lists", () => {
    const filter = parseRoomEventFilter({
      related_by_rel_types: ["m.thread"],
      related_by_senders: ["@a:s"],
    });
    const thread = { relType: "m.thread", sender: "@b:s" };
    const edit = { relType: "m.replace", sender: "@a:s" };
    expect(matchesRelatedBy(filter, [thread, edit])).to.equal(false);
    expect(
      matchesRelatedBy(filter, [thread, { ...thread, sender: "@a:s" }]),
    ).to.equal(true);
    expect(matchesRelatedBy(parseRoomEventFilter({}), [])).to.equal(true);
    expect(
      matchesRelatedBy(parseRoomEventFilter({ related_by_senders: ["@a:s"] }), [
        edit,
      ]),
    ).to.equal(true);
  });
});

describe("selectEventFields", () => {
  const event = {
    type: "m.x",
    content: {
      body: "b",
      "m.relates_to": { rel_type: "r", "a\\b": 1 },
      n: null,
    },
  };
  const select = (...fields: string[]) =>
    JSON.parse(JSON.stringify(selectEventFields(event, fields))) as unknown;

  it("follows dotted paths, with dots and backslashes escaped", () => {
    expect(select("type")).to.deep.equal({ type: "m.x" });
    expect(select("content.body", "content.n")).to.deep.equal({
      content: { body: "b", n: null },
    });
    expect(select(String.raw`content.m\.relates_to.rel_type`)).to.deep.equal({
      content: { "m.relates_to": { rel_type: "r" } },
    });
    expect(select(String.raw`content.m\.relates_to.a\\b`)).to.deep.equal({
      content: { "m.relates_to": { "a\\b": 1 } },
    });
  });

  it("leaves out what is not there", () => {
    expect(
      select("x", "content.x", "content.body.x", "type.x", "content.x.y", ""),
    ).to.deep.equal({});
    expect(
      select("constructor", "__proto__", "content.constructor.name"),
    ).to.deep.equal({});
  });

  it("takes the whole where one path has it, and leaves the event alone", () => {
    const before = JSON.stringify(event);
    expect(select("content", "content.body")).to.deep.equal({
      content: event.content,
    });
    expect(select("content.body", "content")).to.deep.equal({
      content: event.content,
    });
    expect(JSON.stringify(event)).to.equal(before);
  });
});
