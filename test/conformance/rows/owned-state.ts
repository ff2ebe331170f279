import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { row, shared } from "../harness/registry.ts";
import { publicRoom, trySetState } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

const TYPE = "com.example.test";
const SUFFIX = "_state_key_suffix:!@#$123";

/** A room in which everybody may send this state. */
const room = shared(async (server: Server) => {
  const creator = await server.user("creator");
  const user = await server.user("user");
  const roomId = await publicRoom(creator, {
    room_version: "10",
    power_level_content_override: { events: { [TYPE]: 0 } },
  });
  await user.join(roomId);
  return { creator, user, roomId };
});

type Scene = Awaited<ReturnType<typeof room>>;

const sets = (
  name: string,
  pick: (scene: Scene) => [sender: User, stateKey: string],
  isAllowed = false,
) => {
  row(
    "msc3757",
    "TestWithoutOwnedState",
    `parallel/${name}`,
    async (server) => {
      const scene = await room(server);
      const [sender, stateKey] = pick(scene);
      const answer = await trySetState(
        sender,
        scene.roomId,
        TYPE,
        {},
        stateKey,
      );
      if (isAllowed) expect(answer.status).to.equal(200);
      else expectError(answer, 403, "M_FORBIDDEN");
    },
  );
};

sets(
  "user can set state with their own user ID as state key",
  ({ user }) => [user, user.userId],
  true,
);
sets(
  "room creator cannot set state with their own suffixed user ID as state key",
  ({ creator }) => [creator, creator.userId + SUFFIX],
);
sets(
  "room creator cannot set state with another user ID as state key",
  ({ creator, user }) => [creator, user.userId],
);
sets(
  "room creator cannot set state with another suffixed user ID as state key",
  ({ creator, user }) => [creator, user.userId + SUFFIX],
);
sets(
  "room creator cannot set state with a non-member user ID as state key",
  ({ creator }) => [creator, "@notinroom:hs2"],
);
sets(
  "room creator cannot set state with malformed user ID as state key",
  ({ creator }) => [creator, "@oops"],
);
