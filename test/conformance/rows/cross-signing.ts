import { expect } from "chai";
import { withPassword } from "../harness/auth.ts";
import { at, list } from "../harness/json.ts";
import { crossSigningKey, newSigningKey, signed } from "../harness/keys.ts";
import { row } from "../harness/registry.ts";

const TARGET = "/keys/device_signing/upload";

row("msc3967", "TestMSC3967", "", async (server) => {
  const alice = await server.user("signing");
  const { userId } = alice;
  const master = newSigningKey();
  const first = { master_key: crossSigningKey(userId, "master", master) };

  // The first upload, and the same one again, want no authentication.
  await alice.mustPost(TARGET, first);
  await alice.mustPost(TARGET, first);

  const other = {
    master_key: crossSigningKey(userId, "master", newSigningKey()),
  };
  const replaced = await alice.post(TARGET, other);
  expect(replaced.status, replaced.raw).to.equal(401);
  expect(list(replaced.body, "flows")).to.not.be.empty;

  const bare = crossSigningKey(userId, "self_signing", newSigningKey());
  const added = {
    self_signing_key: signed(bare, userId, master.publicKey, master),
  };
  const asked = await alice.post(TARGET, added);
  expect(asked.status, asked.raw).to.equal(401);
  expect(list(asked.body, "flows")).to.not.be.empty;
  const done = await withPassword(alice, "POST", TARGET, added);
  expect(done.status, done.raw).to.equal(200);
  await alice.mustPost(TARGET, added);

  const found = await alice.mustPost("/keys/query", {
    device_keys: { [userId]: [] },
  });
  expect(at(found, "master_keys", userId, "keys")).to.deep.equal(
    first.master_key["keys"],
  );
  expect(at(found, "self_signing_keys", userId, "keys")).to.deep.equal(
    bare["keys"],
  );
});
