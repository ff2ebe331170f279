import { expect } from "chai";
import { administrator } from "../../support/administrators.ts";
import { must } from "../../support/rooms.ts";
import { useServer, type Json, type TestUser } from "../../support/server.ts";

const N = "/_myelin/admin/v1";

describe("what goes out", () => {
  const server = useServer({
    "email.host": "mail.example.org",
    "email.from": "matrix@example.org",
    "turn.uris": ["turn:turn.example.org:3478?transport=udp"],
    "turn.shared_secret": "a secret of the turn server",
    "audit.stream.syslog": "tls://log.example.org:6514",
    "well_known.identity_server": "https://identity.example.org",
  });
  let admin: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
  });

  const partiesOf = async (who = admin) =>
    must<{ parties: Json[]; cut: boolean }>(await who.get(`${N}/egress`));
  const setPusher = async (user: TestUser, host: string, data: Json = {}) =>
    must(
      await user.post("/pushers/set", {
        ...{ kind: "http", app_id: host, pushkey: user.userId, lang: "en" },
        ...{ app_display_name: "a", device_display_name: "d" },
        data: { url: `https://${host}/_matrix/push/v1/notify`, ...data },
      }),
    );

  it("names each party of the settings, and what of persons it gets", async () => {
    const { parties } = await partiesOf();
    const hosts = parties.map(({ kind, host }) => [kind, host]);
    expect(hosts).to.deep.include.members([
      ["mail_server", "mail.example.org"],
      ["turn_server", "turn.example.org:3478"],
      ["audit_stream", "log.example.org:6514"],
      ["identity_server", "identity.example.org"],
    ]);
    for (const party of parties)
      expect(party["data_classes"], String(party["kind"])).to.be.an("array")
        .that.is.not.empty;
    expect(JSON.stringify(parties)).to.not.include("a secret");
  });

  it("counts who has a pusher at which gateway, and whether it is told more than that there is something", async () => {
    const [ann, ben] = [await server.user("ann"), await server.user("ben")];
    await setPusher(ann, "push.example.org");
    await setPusher(ben, "push.example.org", { format: "event_id_only" });
    await setPusher(ben, "quiet.example.org", { format: "event_id_only" });
    const { parties, cut } = await partiesOf();
    const gateways = parties.filter(({ kind }) => kind === "push_gateway");
    expect(gateways).to.have.length(2);
    expect(gateways[0]).to.include({
      ...{ host: "push.example.org", count: 2, counted: "pushers" },
    });
    expect(gateways[0]!["data_classes"]).to.include("message");
    expect(gateways[1]).to.include({ host: "quiet.example.org", count: 1 });
    expect(gateways[1]!["data_classes"]).to.not.include("message");
    expect(cut).to.equal(false);
  });

  it("is for who may read the settings, and for who answers for privacy", async () => {
    await partiesOf(await administrator(server, "privacy", "privacy-officer"));
    const helper = await administrator(server, "helper", "helpdesk");
    expect((await helper.get(`${N}/egress`)).status).to.equal(403);
  });
});
