import { expect } from "chai";
import { path } from "../harness/client.ts";
import { list, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { findInDirectory } from "../harness/rooms.ts";

row(
  "csapi",
  "TestPublicRooms",
  "Can search public room list",
  async (server) => {
    const alice = await server.user("alice");
    const word = `wombles${server.newLocalpart("x").replaceAll("-", "")}`;
    const roomId = await alice.createRoom({
      visibility: "public",
      name: "Test Name",
      topic: `Test Topic ${word.toUpperCase()}`,
    });
    const filter = { generic_search_term: word };
    const found = await alice.until(
      async () =>
        list(await alice.mustPost("/publicRooms", { filter }), "chunk"),
      (rooms) => rooms.length > 0,
    );
    expect(found.map((room) => room["room_id"])).to.deep.equal([roomId]);
  },
);

const shows = (name: string, given: JsonObject) => {
  const full = `Name/topic keys are correct/Creating room with alias ${name}`;
  row("csapi", "TestPublicRooms", full, async (server) => {
    const alice = await server.user("alice");
    const alias = server.newLocalpart(name.replaceAll(" ", "_"));
    const roomId = await alice.createRoom({
      visibility: "public",
      room_alias_name: alias,
      ...given,
    });
    const keys = ["name", "topic"];
    const room = await findInDirectory(
      alice,
      roomId,
      (entry) =>
        entry !== undefined && keys.every((key) => entry[key] === given[key]),
    );
    expect(room).to.include({
      canonical_alias: `#${alias}:${alice.serverName}`,
      num_joined_members: 1,
      world_readable: false,
    });
    expect(room?.["guest_can_join"]).to.be.a("boolean");
    for (const key of keys) expect(room?.[key], key).to.equal(given[key]);
    await alice.mustPut(path`/directory/list/room/${roomId}`, {
      visibility: "private",
    });
    const after = await findInDirectory(alice, roomId, (entry) => !entry);
    expect(after).to.equal(undefined);
  });
};

const NAME = "un nom français";
const TOPIC = "un topic à la française";

shows("publicroomalias no name", {});
shows("publicroomalias with name", { name: "name_1" });
shows("publicroomalias with topic", { topic: "topic_1" });
shows("publicroomalias with name topic", { name: "name_2", topic: "topic_2" });
shows("publicroom with unicode chars name", { name: NAME });
shows("publicroom with unicode chars topic", { topic: TOPIC });
shows("publicroom with unicode chars name topic", { name: NAME, topic: TOPIC });
