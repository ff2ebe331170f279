import { createHmac } from "node:crypto";
import { expect } from "chai";
import { useServer } from "../../support/server.ts";

describe("GET /voip/turnServer", () => {
  const uris = [
    "turn:turn.example.org?transport=udp",
    "turns:turn.example.org",
  ];
  const server = useServer({
    "turn.uris": uris,
    "turn.shared_secret": "north",
    "turn.ttl_seconds": 600,
  });

  it("gives credentials for a while, as coturn checks them", async () => {
    const alice = await server.user("alice");
    const before = Math.floor(server.edges.now() / 1000);
    const { body } = await alice.get("/voip/turnServer");
    expect(body).to.have.all.keys("username", "password", "uris", "ttl");
    expect(body).to.deep.include({ uris, ttl: 600 });
    const [expires, ...userId] = String(body["username"]).split(":");
    expect(userId.join(":")).to.equal("@alice:test");
    expect(Number(expires)).to.be.within(before + 600, before + 610);
    const password = createHmac("sha1", "north")
      .update(String(body["username"]))
      .digest("base64");
    expect(body["password"]).to.equal(password);
  });

  it("gives them to nobody without a session", async () => {
    expect((await server.get("/voip/turnServer")).status).to.equal(401);
  });
});

describe("GET /voip/turnServer without a TURN server", () => {
  const server = useServer();

  it("is empty", async () => {
    const alice = await server.user("alice");
    const { status, body } = await alice.get("/voip/turnServer");
    expect(status).to.equal(200);
    expect(body).to.deep.equal({});
  });
});
