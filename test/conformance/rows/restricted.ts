import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import type { JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  findInDirectory,
  publicRoom,
  stateOf,
  tryJoin,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

interface Scene {
  alice: User;
  bob: User;
  /** The room whose members may join the other one. */
  allowed: string;
  roomId: string;
}

async function arrange(
  server: Server,
  version: string,
  rule: string,
): Promise<Scene> {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const allowed = await publicRoom(alice, { name: "Allowed Room" });
  const allow = [{ type: "m.room_membership", room_id: allowed }];
  const roomId = await publicRoom(alice, {
    room_version: version,
    initial_state: [stateOf("m.room.join_rules", { join_rule: rule, allow })],
  });
  return { alice, bob, allowed, roomId };
}

/** Registers the rows of a test of one room version and join rule. */
function restricted(test: string, version: string, rule: string): void {
  const joins = (name: string, run: (scene: Scene) => Promise<void>) => {
    row("general", test, name, async (server) =>
      run(await arrange(server, version, rule)),
    );
  };

  joins("Join should fail initially", async ({ bob, roomId }) => {
    expectError(await tryJoin(bob, roomId), 403, "M_FORBIDDEN");
  });

  joins(
    "Join should succeed when joined to allowed room",
    async ({ alice, bob, allowed, roomId }) => {
      await bob.join(allowed);
      await bob.join(roomId);
      const member = await bob.getState(roomId, "m.room.member", bob.userId);
      const authoriser = member["join_authorised_via_users_server"];
      expect(authoriser).to.equal(alice.userId);
      await bob.sendState(roomId, "m.room.member", bob.userId, {
        membership: "join",
        displayname: "Bobby",
        join_authorised_via_users_server: "unused",
      });
    },
  );

  joins(
    "Join should fail when left allowed room",
    async ({ bob, allowed, roomId }) => {
      await bob.join(allowed);
      await bob.join(roomId);
      await bob.leave(roomId);
      await bob.leave(allowed);
      expectError(await tryJoin(bob, roomId), 403, "M_FORBIDDEN");
    },
  );

  joins("Join should succeed when invited", async ({ alice, bob, roomId }) => {
    await alice.invite(roomId, bob.userId);
    await bob.join(roomId);
  });

  joins(
    "Join should fail with mangled join rules",
    async ({ alice, bob, allowed, roomId }) => {
      await bob.join(allowed);
      for (const allow of [["invalid"], "invalid"]) {
        const content = { join_rule: rule, allow };
        await alice.sendState(roomId, "m.room.join_rules", "", content);
        const answer = await tryJoin(bob, roomId);
        expectError(answer, 403, "M_FORBIDDEN");
      }
    },
  );
}

restricted("TestRestrictedRoomsLocalJoin", "8", "restricted");
restricted(
  "TestRestrictedRoomsLocalJoinInMSC3787Room",
  "10",
  "knock_restricted",
);

const publishes = (test: string, room_version: string, join_rule: string) => {
  row("general", test, "", async (server) => {
    const alice = await server.user("alice");
    const publishedRule = async (roomId: string, rule: string) => {
      await alice.mustPut(path`/directory/list/room/${roomId}`, {
        visibility: "public",
      });
      const isWanted = (entry?: JsonObject) => entry?.["join_rule"] === rule;
      return (await findInDirectory(alice, roomId, isWanted))?.["join_rule"];
    };
    const knock = await alice.createRoom({ room_version });
    await alice.sendState(knock, "m.room.join_rules", "", { join_rule });
    expect(await publishedRule(knock, join_rule)).to.equal(join_rule);
    const open = await publicRoom(alice, { room_version });
    expect(await publishedRule(open, "public")).to.equal("public");
  });
};

publishes("TestKnockRoomsInPublicRoomsDirectory", "7", "knock");
publishes(
  "TestKnockRoomsInPublicRoomsDirectoryInMSC3787Room",
  "10",
  "knock_restricted",
);
