import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, isObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { accountData, findEvent, isInvitedIn } from "../harness/sync.ts";

row(
  "csapi",
  "TestAddAccountData",
  "Can add global account data",
  async (server) => {
    const [alice, bob] = await Promise.all([
      server.user("data"),
      server.user("data"),
    ]);
    const target = path`/user/${alice.userId}/account_data/test.key`;
    expectError(await alice.get(target), 404, "M_NOT_FOUND");
    for (const content of [{ value: "first" }, { value: "second" }]) {
      await alice.mustPut(target, content);
      expect(await alice.mustGet(target)).to.deep.equal(content);
    }
    expectError(await bob.get(target), 403, "M_FORBIDDEN");
  },
);

row(
  "csapi",
  "TestAddAccountData",
  "Can add room account data",
  async (server) => {
    const alice = await server.user("data");
    const roomId = await alice.createRoom();
    const target = path`/user/${alice.userId}/rooms/${roomId}/account_data/test.key`;
    for (const content of [{ value: "first" }, { value: "second" }]) {
      await alice.mustPut(target, content);
      expect(await alice.mustGet(target)).to.deep.equal(content);
    }
    const global = path`/user/${alice.userId}/account_data/test.key`;
    expectError(await alice.get(global), 404, "M_NOT_FOUND");
  },
);

row("general", "TestWriteMDirectAccountData", "", async (server) => {
  const [alice, bob] = await Promise.all([
    server.user("direct"),
    server.user("direct"),
  ]);
  const target = path`/user/${alice.userId}/account_data/m.direct`;
  let since: string | undefined;
  for (let step = 0; step < 2; step++) {
    const invite = [bob.userId];
    const roomId = await alice.createRoom({ is_direct: true, invite });
    const content = { [bob.userId]: [roomId] };
    await alice.mustPut(target, content);
    const sync = await alice.syncUntil(
      (seen) => findEvent(accountData(seen), "m.direct") !== undefined,
      { since },
    );
    const event = findEvent(accountData(sync), "m.direct");
    expect(event?.["content"]).to.deep.equal(content);
    expect(await alice.mustGet(target)).to.deep.equal(content);
    since = String(sync["next_batch"]);
  }
});

row(
  "csapi",
  "TestInviteFromIgnoredUsersDoesNotAppearInSync",
  "",
  async (server) => {
    const [alice, bob, chris] = await Promise.all([
      server.user("alice"),
      server.user("bob"),
      server.user("chris"),
    ]);
    const type = "m.ignored_user_list";
    const ignored_users = { [bob.userId]: {} };
    await alice.mustPut(path`/user/${alice.userId}/account_data/${type}`, {
      ignored_users,
    });
    const since = await alice.syncToken();

    const invite = [alice.userId];
    const fromBob = await bob.createRoom({ preset: "private_chat", invite });
    const fromChris = await chris.createRoom({
      preset: "private_chat",
      invite,
    });

    await alice.syncUntil((sync) => isInvitedIn(sync, fromChris), { since });
    const sync = await alice.sync({ since });
    expect(isObject(at(sync, "rooms", "invite", fromChris))).to.equal(true);
    expect(isInvitedIn(sync, fromBob)).to.equal(false);
  },
);

row(
  "msc3890",
  "TestDeletingDeviceRemovesDeviceLocalNotificationSettings",
  "Deleting a user's device should delete any local notification settings entries from their account data",
  async (server) => {
    const first = await server.user("notify");
    const second = await server.login(first);
    const type = `org.matrix.msc3890.local_notification_settings.${second.deviceId}`;
    const target = path`/user/${first.userId}/account_data/${type}`;
    const since = await first.syncToken();
    await first.mustPut(target, { is_silenced: true });
    await first.syncUntil(
      (sync) =>
        at(findEvent(accountData(sync), type), "content", "is_silenced") ===
        true,
      { since },
    );
    await second.mustPost("/logout");
    expectError(await first.get(target), 404, "M_NOT_FOUND");
  },
);
