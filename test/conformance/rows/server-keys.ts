import { strict as assert } from "node:assert";
import { isSignedBy } from "../harness/keys.ts";
import { object, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";

row("general", "TestInboundFederationKeys", "", async (server) => {
  const alice = await server.user("alice");
  const answer = await alice.get("/_matrix/key/v2/server");
  assert.equal(answer.status, 200, answer.raw);
  const { body } = answer;
  const [, ...name] = alice.userId.split(":");
  assert.equal(body["server_name"], name.join(":"));
  assert.ok(Number(body["valid_until_ts"]) > Date.now());
  const keys = Object.keys(object(body, "verify_keys"));
  assert.ok(keys.some((id) => id.startsWith("ed25519:")));
  for (const id of keys) {
    const key = text(body, "verify_keys", id, "key");
    assert.ok(isSignedBy(body, name.join(":"), id, key), id);
  }
  for (const [id, old] of Object.entries(object(body, "old_verify_keys")))
    assert.ok(Number((old as { expired_ts?: number }).expired_ts) > 0, id);
});
