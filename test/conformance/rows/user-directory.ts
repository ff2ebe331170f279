import { expect } from "chai";
import { path } from "../harness/client.ts";
import { list, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { syncInvited } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

interface Scene {
  alice: User;
  /** Alice is known to him by another name, in a room of theirs. */
  bob: User;
  /** She shares no room with Alice, who is in a public one. */
  eve: User;
  publicName: string;
  privateName: string;
  /** How Alice's user id begins, and nobody else's. */
  idStart: string;
}

async function arrange(
  server: Server,
  enter: (alice: User, roomId: string, content: object) => Promise<unknown>,
): Promise<Scene> {
  // No word of another begins like it.
  const word = (start: string) =>
    `${server.newLocalpart(start).replaceAll("-", "")}x`;
  const [id, publicName, privateName] = [
    word("id"),
    word("Cooper"),
    word("Fred"),
  ];
  const [alice, bob, eve] = [
    await server.user(id),
    await server.user("bob"),
    await server.user("eve"),
  ];
  await alice.mustPut(path`/profile/${alice.userId}/displayname`, {
    displayname: publicName,
  });
  await alice.createRoom({ visibility: "public" });
  const roomId = await bob.createRoom({ invite: [alice.userId] });
  await syncInvited(alice, roomId);
  const content = { membership: "join", displayname: privateName };
  await enter(alice, roomId, content);
  const member = await bob.getState(roomId, "m.room.member", alice.userId);
  expect(member["displayname"]).to.equal(privateName);
  return { alice, bob, eve, publicName, privateName, idStart: `@${id}` };
}

const search = async (user: User, search_term: string) =>
  list(
    await user.mustPost("/user_directory/search", { search_term }),
    "results",
  );

async function expectFound(
  viewer: User,
  term: string,
  { alice, publicName }: Scene,
): Promise<void> {
  const isDone = (results: object[]) => results.length > 0;
  const results = await viewer.until(() => search(viewer, term), isDone);
  const found = results.map((result) => [
    text(result, "user_id"),
    text(result, "display_name"),
  ]);
  expect(found).to.deep.equal([[alice.userId, publicName]]);
}

function keepsNamesOfRooms(
  test: string,
  enter: (alice: User, roomId: string, content: object) => Promise<unknown>,
): void {
  const finds = (name: string, run: (scene: Scene) => Promise<void>) => {
    row("csapi", test, name, async (server) =>
      run(await arrange(server, enter)),
    );
  };
  finds("Eve can find Alice by profile display name", (scene) =>
    expectFound(scene.eve, scene.publicName, scene),
  );
  finds("Eve can find Alice by mxid", (scene) =>
    expectFound(scene.eve, scene.idStart, scene),
  );
  finds("Bob can find Alice by profile display name", (scene) =>
    expectFound(scene.bob, scene.publicName, scene),
  );
  finds("Bob can find Alice by mxid", (scene) =>
    expectFound(scene.bob, scene.idStart, scene),
  );
  finds(
    "Eve cannot find Alice by room-specific name that Eve is not privy to",
    async (scene) => {
      // Once her own name can be found, so could the other.
      await expectFound(scene.eve, scene.publicName, scene);
      const results = await search(scene.eve, scene.privateName);
      expect(results).to.deep.equal([]);
    },
  );
}

const setMember = (alice: User, roomId: string, content: object) =>
  alice.sendState(roomId, "m.room.member", alice.userId, { ...content });

keepsNamesOfRooms("TestRoomSpecificUsernameAtJoin", setMember);
keepsNamesOfRooms(
  "TestRoomSpecificUsernameChange",
  async (alice, roomId, content) => {
    await alice.join(roomId);
    await setMember(alice, roomId, content);
  },
);
