import { expect } from "chai";
import { useServer } from "../../support/server.ts";

describe("PUT /rooms/{roomId}/send/{eventType}/{txnId}", () => {
  const server = useServer();

  it("answers the same event for the same transaction of a device", async () => {
    const alice = await server.user("alice");
    const { body: room } = await alice.post("/createRoom", {});
    const path = `/rooms/${room["room_id"] as string}/send/m.room.message/one`;
    const first = await alice.put(path, { body: "hello", msgtype: "m.text" });
    expect(first.status).to.equal(200);
    const again = await alice.put(path, { body: "other", msgtype: "m.text" });
    expect(again.body).to.deep.equal(first.body);
  });
});
