import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, list, text, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { publicRoom } from "../harness/rooms.ts";
import { accountData, findEvent } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const ACTIONS = ["notify", { set_tweak: "sound", value: "default" }];

const idsIn = (rules: unknown): unknown[] =>
  list(rules, "global", "room").map((rule) => rule["rule_id"]);

const idsInSync = (sync: JsonObject): unknown[] =>
  idsIn(at(findEvent(accountData(sync), "m.push_rules"), "content"));

/** What the suite checks with another server beside, as far as one server shows it. */
const carriesOver = (
  name: string,
  upgrade: (alice: User, roomId: string) => Promise<string>,
) => {
  row(
    "csapi",
    "TestPushRuleRoomUpgrade",
    `parallel/${name}`,
    async (server) => {
      const [alice, bob] = [
        await server.user("alice"),
        await server.user("bob"),
      ];
      const old = await publicRoom(alice, { room_version: "10" });
      await bob.join(old);
      const since = new Map<User, string>();
      for (const user of [alice, bob]) {
        await user.mustPut(path`/pushrules/global/room/${old}`, {
          actions: ACTIONS,
        });
        since.set(user, await user.syncToken());
      }
      const next = await upgrade(alice, old);
      await bob.join(next);
      for (const user of [alice, bob]) {
        const sync = await user.syncUntil(
          (seen) => idsInSync(seen).includes(next),
          { since: since.get(user) },
        );
        expect(idsInSync(sync)).to.have.members([old, next]);
        const rules = await user.mustGet("/pushrules/");
        expect(idsIn(rules)).to.have.members([old, next]);
        for (const rule of list(rules, "global", "room"))
          expect(rule["actions"]).to.deep.equal(ACTIONS);
      }
    },
  );
};

carriesOver(
  "upgrading a room carries over existing push rules for local users",
  async (alice, roomId) =>
    text(
      await alice.mustPost(path`/rooms/${roomId}/upgrade`, {
        new_version: "11",
      }),
      "replacement_room",
    ),
);

carriesOver(
  "manually upgrading a room carries over existing push rules for local users",
  async (alice, old) => {
    const next = await publicRoom(alice, {
      room_version: "11",
      creation_content: { predecessor: { room_id: old } },
    });
    await alice.sendState(old, "m.room.tombstone", "", {
      body: "This room has been replaced",
      replacement_room: next,
    });
    return next;
  },
);
