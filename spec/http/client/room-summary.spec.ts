import { expect } from "chai";
import { act, makeRoom, must, path, setState } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestClient, TestUser } from "../../support/server.ts";

const UNSTABLE = "/_matrix/client/unstable/im.nheko.summary";

describe("room summaries", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const ask = (user: TestClient, room: string) =>
    user.get(`/_matrix/client/v1${path`/room_summary/${room}`}`);

  it("tell of a room by its id and by its alias, also on the paths of before", async () => {
    const roomId = await makeRoom(alice, {
      preset: "public_chat",
      name: "Summary",
      topic: "All in short",
      room_alias_name: "short",
      initial_state: [
        {
          type: "m.room.encryption",
          content: { algorithm: "m.megolm.v1.aes-sha2" },
        },
      ],
    });
    const expected = {
      room_id: roomId,
      name: "Summary",
      topic: "All in short",
      canonical_alias: "#short:test",
      num_joined_members: 1,
      world_readable: false,
      guest_can_join: false,
      join_rule: "public",
      encryption: "m.megolm.v1.aes-sha2",
      room_version: "12",
    };
    expect(must(await ask(bob, roomId))).to.deep.equal(expected);
    expect(must(await ask(bob, "#short:test"))).to.deep.equal(expected);
    const via = `/_matrix/client/v1${path`/room_summary/${roomId}`}?via=a&via=b`;
    must(await bob.get(via));
    for (const target of [
      `${UNSTABLE}${path`/summary/${roomId}`}`,
      `${UNSTABLE}${path`/rooms/${roomId}/summary`}`,
    ])
      expect(must(await bob.get(target))).to.deep.equal({
        ...expected,
        "im.nheko.summary.room_version": "12",
        "im.nheko.summary.version": "12",
        "im.nheko.summary.encryption": "m.megolm.v1.aes-sha2",
      });
    const own = must(await ask(alice, roomId));
    expect(own).to.deep.equal({ ...expected, membership: "join" });
  });

  it("name the rooms whose members may join, of restricted rooms alone", async () => {
    const space = await makeRoom(alice, { preset: "public_chat" });
    expect(must(await ask(bob, space))).not.to.have.property(
      "allowed_room_ids",
    );
    const restricted = await makeRoom(alice);
    const rule = (join_rule: string, allow: unknown) =>
      setState(alice, restricted, "m.room.join_rules", {
        join_rule,
        allow,
      } as Json);
    const entry = { type: "m.room_membership", room_id: space };
    await rule("restricted", [entry, { type: "other", room_id: "!x" }, 5]);
    expect((await ask(bob, restricted)).status).to.equal(404);
    await act(bob, space, "join");
    expect(must(await ask(bob, restricted))).to.deep.include({
      join_rule: "restricted",
      allowed_room_ids: [space],
    });
    await act(bob, space, "leave");
    await rule("knock_restricted", [entry]);
    expect(must(await ask(bob, restricted))["allowed_room_ids"]).to.deep.equal([
      space,
    ]);
  });

  it("previews: a room that one may not know of is answered byte by byte like one that does not exist", async () => {
    const secret = await makeRoom(alice, { room_alias_name: "secret" });
    const absent = await ask(bob, `!${"x".repeat(43)}`);
    expect([absent.status, absent.body["errcode"]]).to.deep.equal([
      404,
      "M_NOT_FOUND",
    ]);
    for (const room of [secret, "#secret:test", "#absent:test"])
      expect((await ask(bob, room)).text).to.equal(absent.text);
    expect((await ask(bob, "neither")).status).to.equal(400);
    await act(alice, secret, "invite", { user_id: bob.userId });
    expect(must(await ask(bob, secret))["membership"]).to.equal("invite");
    await act(alice, secret, "ban", { user_id: bob.userId });
    expect((await ask(bob, secret)).status).to.equal(404);
  });

  it("previews: a join rule that the room version does not know opens nothing", async () => {
    for (const [version, join_rule, status] of [
      ["6", "knock", 404],
      ["7", "knock", 200],
      ["9", "knock_restricted", 404],
      ["10", "knock_restricted", 200],
    ] as const) {
      const roomId = await makeRoom(alice, { room_version: version });
      await setState(alice, roomId, "m.room.join_rules", { join_rule });
      const answer = await ask(bob, roomId);
      expect(answer.status, `${version} ${join_rule}`).to.equal(status);
    }
  });

  it("previews: strangers without an account learn of what is listed or open, and of nothing else", async () => {
    const hidden = await makeRoom(alice, { preset: "public_chat" });
    const listed = await makeRoom(alice, {
      preset: "public_chat",
      visibility: "public",
    });
    expect((await ask(server, hidden)).status).to.equal(404);
    must(await ask(server, listed));
    await setState(alice, listed, "m.room.join_rules", { join_rule: "invite" });
    expect((await ask(server, listed)).status).to.equal(404);
    await setState(alice, hidden, "m.room.history_visibility", {
      history_visibility: "world_readable",
    });
    const shown = must(await ask(server, hidden));
    expect(shown).to.include({ world_readable: true });
    expect(shown).not.to.have.property("membership");
  });
});
