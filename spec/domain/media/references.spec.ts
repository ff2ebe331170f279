import { expect } from "chai";
import { upload } from "../../support/media.ts";
import { makeRoom, must, path, send, setState } from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("which events name which media", () => {
  const server = useServer();
  let alice: TestUser;
  let roomId: string;
  const ids: string[] = [];

  before(async () => {
    alice = await server.user("alice");
    roomId = await makeRoom(alice);
    for (let i = 0; i < 3; i += 1) ids.push(await upload(alice, `file ${i}`));
  });

  const mxc = (i: number) => `mxc://test/${ids[i]}`;
  const namedBy = async (eventId: string) =>
    (
      await server.database.sql<{ mediaId: string }[]>`
        select media_id from media_references join events using (nid)
        where event_id = ${eventId} order by media_id`
    ).map(({ mediaId }) => mediaId);

  it("is written with the event, for all that is there", async () => {
    const eventId = await send(alice, roomId, "m.room.message", {
      msgtype: "m.image",
      body: "a",
      url: mxc(0),
      info: {
        thumbnail_url: mxc(1),
        thumbnail_file: { url: "mxc://test/absent" },
      },
      file: { url: "mxc://other.example/a" },
    });
    expect(await namedBy(eventId)).to.have.members([ids[0], ids[1]]);
  });

  it("is written for avatars of rooms and of members", async () => {
    const room = await setState(alice, roomId, "m.room.avatar", {
      url: mxc(1),
    });
    expect(await namedBy(room)).to.deep.equal([ids[1]]);
    const member = await setState(
      alice,
      roomId,
      "m.room.member",
      { membership: "join", avatar_url: mxc(2) },
      alice.userId,
    );
    expect(await namedBy(member)).to.deep.equal([ids[2]]);
  });

  it("is written for profiles, and forgotten with what they named", async () => {
    const bob = await server.user("bob");
    const field = (name: string) =>
      path`/_matrix/client/v3/profile/${bob.userId}/${name}`;
    const named = async () =>
      (
        await server.database.sql<{ name: string; mediaId: string }[]>`
          select name, media_id from profile_fields
          where user_id = ${bob.userId} and media_id is not null order by name`
      ).map(({ name, mediaId }) => [name, mediaId]);
    const avatar = async (avatar_url: string) =>
      must(await bob.put(field("avatar_url"), { avatar_url }));
    await avatar(mxc(0));
    must(
      await bob.put(field("org.example.banner"), {
        "org.example.banner": mxc(1),
      }),
    );
    must(await bob.put(field("displayname"), { displayname: "Bob" }));
    expect(await named()).to.deep.equal([
      ["avatar_url", ids[0]],
      ["org.example.banner", ids[1]],
    ]);
    for (const other of ["mxc://test/absent", "mxc://other.example/a"]) {
      await avatar(other);
      expect(await named()).to.deep.equal([["org.example.banner", ids[1]]]);
    }
    must(await bob.delete(field("org.example.banner")));
    expect(await named()).to.deep.equal([]);
  });

  it("is forgotten with the content of an event that is redacted", async () => {
    const eventId = await send(alice, roomId, "m.sticker", { url: mxc(0) });
    expect(await namedBy(eventId)).to.deep.equal([ids[0]]);
    must(await alice.put(path`/rooms/${roomId}/redact/${eventId}/r1`, {}));
    expect(await namedBy(eventId)).to.deep.equal([]);
  });
});
