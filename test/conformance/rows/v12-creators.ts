import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { strings } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { act, levels, publicRoom, trySetState } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

const VERSION = { room_version: "12" };

const creators = (
  test: string,
  name: string,
  run: (server: Server, alice: User) => Promise<void>,
) => {
  const full = `TestMSC4289PrivilegedRoomCreators_${test}`;
  row("general", full, name, async (server) =>
    run(server, await server.user("alice")),
  );
};

creators("Additional", "", async (server, alice) => {
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice, {
    ...VERSION,
    creation_content: { additional_creators: [bob.userId] },
  });
  await bob.join(roomId);
  const kick = await act(alice, roomId, "kick", { user_id: bob.userId });
  expectError(kick, 403, "M_FORBIDDEN");
  await bob.sendState(roomId, "m.room.name", "", { name: "Bob's room" });
  const powers = levels({ [bob.userId]: 100 });
  const set = await trySetState(alice, roomId, "m.room.power_levels", powers);
  expectError(set, 400);
});

creators("InvitedAreCreators", "", async (server, alice) => {
  const bob = await server.user("bob");
  const roomId = await alice.createRoom({
    ...VERSION,
    preset: "trusted_private_chat",
    is_direct: true,
    invite: [bob.userId],
  });
  const created = await alice.getState(roomId, "m.room.create");
  expect(created["additional_creators"]).to.deep.equal([bob.userId]);
});

creators("AdditionalCreatorsAndInvited", "", async (server, alice) => {
  const bob = await server.user("bob");
  const charlie = await server.user("charlie");
  const roomId = await alice.createRoom({
    ...VERSION,
    preset: "trusted_private_chat",
    is_direct: true,
    invite: [bob.userId],
    creation_content: { additional_creators: [charlie.userId] },
  });
  const created = await alice.getState(roomId, "m.room.create");
  const found = strings(created, "additional_creators");
  expect(found).to.have.members([bob.userId, charlie.userId]);
});

const validates = (name: string, given: unknown, status: number) => {
  creators("AdditionalValidation", name, async (_server, alice) => {
    const answer = await alice.post("/createRoom", {
      ...VERSION,
      creation_content: { additional_creators: given },
    });
    if (status === 200) expect(answer.status).to.equal(200);
    else expectError(answer, status);
  });
};

const FOO = "@foo:example.com";
validates("additional creators isn't an array", "not-an-array", 400);
validates("additional creators elements aren't strings", [FOO, 42], 400);
validates(
  "additional creators elements aren't user ID strings",
  [FOO, "not-a-user-id"],
  400,
);
validates(
  "additional creators elements aren't valid user ID strings (domain)",
  ["@invalid:dom$ain$.com"],
  400,
);
validates("additional creators are valid", [FOO, "@bar:baz.code"], 200);
