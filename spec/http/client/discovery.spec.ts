import { expect } from "chai";
import { useServer } from "../../support/server.ts";

describe("what a client asks before it knows anybody", () => {
  const server = useServer({
    public_base_url: "https://matrix.example.org/",
    "support.page": "https://example.org/help",
    "support.admin_email": "matrix@example.org",
    "support.security_email": "security@example.org",
  });

  it("finds the versions, with what Element needs to set up encryption", async () => {
    const { body } = await server.get("/_matrix/client/versions");
    expect(body["versions"]).to.include("v1.1");
    expect(body["unstable_features"]).to.deep.include({
      "org.matrix.e2e_cross_signing": true,
    });
  });

  it("finds the server, without a slash at its end, and whom to ask", async () => {
    const client = await server.get("/.well-known/matrix/client");
    expect(client.body).to.deep.equal({
      "m.homeserver": { base_url: "https://matrix.example.org" },
    });
    const support = await server.get("/.well-known/matrix/support");
    expect(support.body).to.deep.equal({
      contacts: [
        { role: "m.role.admin", email_address: "matrix@example.org" },
        { role: "m.role.security", email_address: "security@example.org" },
      ],
      support_page: "https://example.org/help",
    });
  });

  it("finds it from any page, for that is where a client asks", async () => {
    const { headers } = await server.get("/.well-known/matrix/client");
    expect(headers["access-control-allow-origin"]).to.equal("*");
    expect(headers["content-type"]).to.match(/^application\/json/);
  });

  it("finds no other server's way here", async () => {
    const answer = await server.get("/.well-known/matrix/server");
    expect(answer.status).to.equal(404);
  });

  it("finds what can be done, once logged in", async () => {
    const alice = await server.user("alice");
    const { body } = await alice.get("/capabilities");
    const capabilities = body["capabilities"] as Record<string, object>;
    const versions = capabilities["m.room_versions"] as {
      default: string;
      available: Record<string, string>;
    };
    expect(versions.default).to.equal("12");
    expect(Object.keys(versions.available)).to.have.length(12);
    expect(capabilities["m.change_password"]).to.deep.equal({ enabled: true });
    expect((await server.get("/capabilities")).status).to.equal(401);
  });
});

describe("what a client asks for when it starts", () => {
  const server = useServer();

  it("finds that it has no pushers and no third-party identifiers", async () => {
    const bob = await server.user("bob");
    const pushers = await bob.get("/pushers");
    expect(pushers.body).to.deep.equal({ pushers: [] });
    const identifiers = await bob.get("/account/3pid");
    expect(identifiers.body).to.deep.equal({ threepids: [] });
  });

  it("finds no key backup, and no dehydrated device", async () => {
    const alice = await server.user("alice");
    const backup = await alice.get("/room_keys/version");
    expect(backup.status).to.equal(404);
    expect(backup.body["errcode"]).to.equal("M_NOT_FOUND");
    const device = await alice.get(
      "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device",
    );
    expect(device.status).to.equal(404);
    expect(device.body["errcode"]).to.equal("M_NOT_FOUND");
  });
});

describe("a server that was told nothing of itself", () => {
  const server = useServer();

  it("is found at its name, and names nobody to ask", async () => {
    const client = await server.get("/.well-known/matrix/client");
    expect(client.body).to.deep.equal({
      "m.homeserver": { base_url: "https://test" },
    });
    const support = await server.get("/.well-known/matrix/support");
    expect(support.body["errcode"]).to.equal("M_NOT_FOUND");
  });
});

describe("a server that was told what else clients shall find", () => {
  const foci = [
    { type: "livekit", livekit_service_url: "https://rtc.example.org" },
  ];
  const server = useServer({
    public_base_url: "https://matrix.example.org",
    "well_known.identity_server": "https://identity.example.org/",
    "well_known.extra": JSON.stringify({
      "org.matrix.msc4143.rtc_foci": foci,
      "io.element.e2ee": { default: true },
    }),
  });

  it("tells it beside where it is", async () => {
    const { body } = await server.get("/.well-known/matrix/client");
    expect(body).to.deep.equal({
      "m.homeserver": { base_url: "https://matrix.example.org" },
      "m.identity_server": { base_url: "https://identity.example.org" },
      "org.matrix.msc4143.rtc_foci": foci,
      "io.element.e2ee": { default: true },
    });
  });
});

describe("a tool that looks for the server's name", () => {
  const server = useServer({ "well_known.server": "matrix.test:443" });

  it("is told where the settings say that the server is", async () => {
    const { body } = await server.get("/.well-known/matrix/server");
    expect(body).to.deep.equal({ "m.server": "matrix.test:443" });
    const keys = await server.get("/_matrix/key/v2/server");
    expect(keys.body["server_name"]).to.equal("test");
  });
});
