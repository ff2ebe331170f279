import { expect } from "chai";
import {
  clearedOnly,
  policyMakers,
  type PolicyMakers,
} from "../../support/policies.ts";
import { setPusher, usePushing } from "../../support/pushing.ts";
import { act, makePublicRoom, say } from "../../support/rooms.ts";
import type { TestUser } from "../../support/server.ts";

describe("pushing under policies", () => {
  const { server, openGateway } = usePushing();
  let makers: PolicyMakers;
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    makers = await policyMakers(server);
    alice = await server.user("alice");
    bob = await server.user("bob");
    await makers.describeUser(alice.userId, { clearance: 9 });
  });

  it("G9: tells no gateway of what its user may not read", async () => {
    const [secret, open] = [
      await makePublicRoom(alice),
      await makePublicRoom(alice),
    ];
    for (const roomId of [secret, open]) await act(bob, roomId, "join");
    await makers.describeRoom(secret, { level: 2 });
    const gateway = openGateway();
    await setPusher(bob, gateway.url);
    await makers.enact("reads", clearedOnly("read"));
    await say(alice, secret, "the canary");
    const eventId = await say(alice, open, "for everybody");
    let told = await gateway.next();
    while (told["event_id"] === undefined) told = await gateway.next();
    expect(told["event_id"]).to.equal(eventId);
    expect(JSON.stringify(gateway.told)).not.to.include("canary");
    await makers.describeUser(bob.userId, { clearance: 2 });
    const cleared = await say(alice, secret, "for the cleared");
    while (told["event_id"] !== cleared) told = await gateway.next();
    await makers.lift("reads");
  });
});
