import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { allState, findEvent } from "../harness/sync.ts";

const FIELDS = [
  {
    field: "displayname",
    profile: "TestProfileDisplayName",
    sets: "PUT /profile/:user id/displayname sets my name",
    reads: "GET /profile/:user id/displayname publicly accessible",
    update: "TestDisplayNameUpdate",
    value: "Alice ✓ of the tests",
  },
  {
    field: "avatar_url",
    profile: "TestProfileAvatarURL",
    sets: "PUT /profile/:user id/avatar url sets my avatar",
    reads: "GET /profile/:user id/avatar url publicly accessible",
    update: "TestAvatarUrlUpdate",
    value: "mxc://example.org/SomeAvatar",
  },
];

for (const { field, profile, sets, reads, update, value } of FIELDS) {
  row("csapi", profile, sets, async (server) => {
    const alice = await server.user("profile");
    const target = path`/profile/${alice.userId}/${field}`;
    await alice.mustPut(target, { [field]: value });
    expect(await alice.mustGet(target)).to.deep.equal({ [field]: value });
    const whole = await alice.mustGet(path`/profile/${alice.userId}`);
    expect(whole[field]).to.equal(value);
  });

  row("csapi", profile, reads, async (server) => {
    const alice = await server.user("profile");
    const target = path`/profile/${alice.userId}/${field}`;
    await alice.mustPut(target, { [field]: value });
    expect(await server.mustGet(target)).to.deep.equal({ [field]: value });
  });

  row("csapi", update, "", async (server) => {
    const alice = await server.user("profile");
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const since = await alice.syncToken();
    const target = path`/profile/${alice.userId}/${field}`;
    await alice.mustPut(target, { [field]: value });
    await alice.syncUntil(
      (sync) => {
        const events = allState(sync, roomId);
        const member = findEvent(events, "m.room.member", alice.userId);
        return (
          at(member, "content", field) === value &&
          at(member, "content", "membership") === "join"
        );
      },
      { since },
    );
  });
}
