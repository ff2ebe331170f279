import { expect } from "chai";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

describe("/profile", () => {
  const server = useServer();
  const pathOf = ({ userId }: { userId: string }, name?: string) =>
    name === undefined ? `/profile/${userId}` : `/profile/${userId}/${name}`;
  const set = (user: TestUser, name: string, value: unknown) =>
    user.put(pathOf(user, name), { [name]: value });

  it("begins with the localpart as the name", async () => {
    const alice = await server.user("alice");
    const whole = await server.get(pathOf(alice));
    expect(whole.body).to.deep.equal({ displayname: "alice" });
  });

  it("keeps fields of any kind until they are removed", async () => {
    const bob = await server.user("bob");
    const fields = {
      displayname: "Bob ✓",
      avatar_url: "mxc://test/abc",
      "m.tz": "Europe/Zurich",
      "org.example.languages": ["de", { __proto__: null, a: 1 }],
      "org.example.nothing": null,
      constructor: "a key like others",
    };
    for (const [name, value] of Object.entries(fields)) {
      const answer = await set(bob, name, value);
      expect(answer.status, answer.text).to.equal(200);
      const got = await server.get(pathOf(bob, name));
      expect(got.body).to.deep.equal({ [name]: value });
    }
    expect((await server.get(pathOf(bob))).body).to.deep.equal(fields);
    for (const name of Object.keys(fields)) {
      expect((await bob.delete(pathOf(bob, name))).status).to.equal(200);
      expect((await bob.delete(pathOf(bob, name))).status).to.equal(200);
      const gone = await server.get(pathOf(bob, name));
      expect(gone.body["errcode"]).to.equal("M_NOT_FOUND");
    }
    expect((await server.get(pathOf(bob))).body).to.deep.equal({});
  });

  it("takes an empty name or avatar for its removal, as older clients say it", async () => {
    const carol = await server.user("carol");
    await set(carol, "avatar_url", "mxc://test/abc");
    await set(carol, "avatar_url", "");
    await set(carol, "displayname", null);
    expect((await server.get(pathOf(carol))).body).to.deep.equal({});
  });

  it("refuses what no field may be", async () => {
    const dave = await server.user("dave");
    for (const [name, value, errcode] of [
      ["displayname", 7, "M_INVALID_PARAM"],
      ["displayname", "x".repeat(257), "M_INVALID_PARAM"],
      ["avatar_url", "https://example.org/me.png", "M_INVALID_PARAM"],
      ["m.tz", {}, "M_INVALID_PARAM"],
      ["Upper", "x", "M_INVALID_PARAM"],
      ["a b", "x", "M_INVALID_PARAM"],
      [`m.${"x".repeat(254)}`, "x", "M_KEY_TOO_LARGE"],
      ["org.example.big", "x".repeat(65_536), "M_PROFILE_TOO_LARGE"],
    ] as const) {
      const path = pathOf(dave, encodeURIComponent(name));
      const answer = await dave.put(path, { [name]: value });
      expect(answer.status, name).to.equal(400);
      expect(answer.body["errcode"], name).to.equal(errcode);
    }
    const missing = await dave.put(pathOf(dave, "m.tz"), { other: "x" });
    expect(missing.body["errcode"]).to.equal("M_MISSING_PARAM");
  });

  it("holds no more than that when fields are set at once, in two processes", async () => {
    const greedy = await server.user("greedy");
    const other = (await server.startProcess()).as(greedy);
    const value = "x".repeat(20 * 1024);
    const names = Array.from({ length: 8 }, (_, i) => `org.example.f${i}`);
    const answers = await Promise.all(
      names.map((name, i) =>
        (i % 2 ? other : greedy).put(pathOf(greedy, name), { [name]: value }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).to.have.length(3);
    expect(statuses.filter((status) => status === 400)).to.have.length(5);
  });

  it("takes a field again and again that is removed in between", async () => {
    const fickle = await server.user("fickle");
    for (let i = 0; i < 60; i++) {
      expect((await set(fickle, "m.tz", "UTC")).status).to.equal(200);
      expect((await fickle.delete(pathOf(fickle, "m.tz"))).status).to.equal(
        200,
      );
    }
    expect((await server.get(pathOf(fickle))).body).to.deep.equal({
      displayname: "fickle",
    });
  });

  it("holds 64 KiB in all", async () => {
    const erin = await server.user("erin");
    const half = "x".repeat(40_000);
    expect((await set(erin, "org.example.a", half)).status).to.equal(200);
    const over = await set(erin, "org.example.b", half);
    expect(over.body["errcode"]).to.equal("M_PROFILE_TOO_LARGE");
    expect((await set(erin, "org.example.a", half)).status).to.equal(200);
  });

  it("is written by nobody else, and needs a session", async () => {
    const [fay, gus] = [await server.user("fay"), await server.user("gus")];
    const path = pathOf(fay, "displayname");
    const put = await gus.put(path, { displayname: "Mallory" });
    expect(put.body["errcode"]).to.equal("M_FORBIDDEN");
    const removed = await gus.delete(path);
    expect(removed.body["errcode"]).to.equal("M_FORBIDDEN");
    const without = await server.put(path, { displayname: "Mallory" });
    expect(without.status).to.equal(401);
  });

  it("is not found for users whom this server does not have", async () => {
    for (const userId of ["@nobody:test", "@alice:elsewhere"]) {
      const answer = await server.get(pathOf({ userId }));
      expect(answer.status).to.equal(404);
      expect(answer.body["errcode"]).to.equal("M_NOT_FOUND");
    }
  });

  it("shows a new name and avatar in every room that the user is in, and in no other", async () => {
    const hal = await server.user("hal");
    const owner = await server.user("owner");
    const rooms: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      const { body } = await owner.post("/createRoom", {
        preset: "public_chat",
      });
      const roomId = encodeURIComponent(body["room_id"] as string);
      expect((await hal.post(`/join/${roomId}`)).status).to.equal(200);
      rooms.push(roomId);
    }
    await hal.post(`/rooms/${rooms[2]}/leave`);
    await set(hal, "displayname", "Hal 9000");
    await set(hal, "avatar_url", "mxc://test/eye");
    for (const [i, roomId] of rooms.entries()) {
      const path = `/rooms/${roomId}/state/m.room.member/${hal.userId}`;
      const { body } = await owner.get(path);
      if (i === 2) expect(body["membership"]).to.equal("leave");
      else
        expect(body).to.deep.equal({
          membership: "join",
          displayname: "Hal 9000",
          avatar_url: "mxc://test/eye",
        });
    }
    await hal.delete(pathOf(hal, "avatar_url"));
    const path = `/rooms/${rooms[0]}/state/m.room.member/${hal.userId}`;
    expect((await owner.get(path)).body).to.not.have.property("avatar_url");
  });

  it("shows rooms the name that lasts, where two are set at once in two processes", async () => {
    const ida = await server.user("ida");
    const elsewhere = (await server.startProcess()).as(ida);
    const { body } = await ida.post("/createRoom");
    const roomId = encodeURIComponent(body["room_id"] as string);
    const path = `/rooms/${roomId}/state/m.room.member/${ida.userId}`;
    for (let round = 0; round < 20; round += 1) {
      const name = (who: string) => ({ displayname: `${who} ${round}` });
      await Promise.all([
        ida.put(pathOf(ida, "displayname"), name("one")),
        elsewhere.put(pathOf(ida, "displayname"), name("other")),
      ]);
      const { displayname } = (await server.get(pathOf(ida))).body;
      const shown = (await ida.get(path)).body["displayname"];
      expect(shown, `round ${round}`).to.equal(displayname);
    }
  });
});
