import { expect } from "chai";
import { path } from "../harness/client.ts";
import { row } from "../harness/registry.ts";
import { findEvent, toDevice } from "../harness/sync.ts";

row("csapi", "TestToDeviceMessages", "", async (server) => {
  const [alice, bob, charlie] = await Promise.all([
    server.user("alice"),
    server.user("bob"),
    server.user("charlie"),
  ]);
  const type = "org.example.test";
  const content = { my_key: "my value" };
  const since = await Promise.all([bob.syncToken(), charlie.syncToken()]);
  await alice.mustPut(path`/sendToDevice/${type}/${alice.nextTxn()}`, {
    messages: {
      [bob.userId]: { [bob.deviceId]: content },
      [charlie.userId]: { [charlie.deviceId]: content },
    },
  });

  for (const [index, user] of [bob, charlie].entries()) {
    const sync = await user.syncUntil(
      (seen) => findEvent(toDevice(seen), type) !== undefined,
      { since: since[index] },
    );
    const event = findEvent(toDevice(sync), type);
    expect(event).to.include({ sender: alice.userId, type });
    expect(event?.["content"]).to.deep.equal(content);
    // The sync that follows acknowledges it: the message is not told again.
    const next = await user.sync({ since: String(sync["next_batch"]) });
    expect(toDevice(next)).to.deep.equal([]);
  }
});
