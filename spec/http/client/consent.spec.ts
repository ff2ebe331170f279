import { expect } from "chai";
import { consentUrl } from "../../../src/domain/privacy/consent.ts";
import { administrator } from "../../support/administrators.ts";
import { readAudit } from "../../support/audit.ts";
import { makeRoom, must, path, say } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestProcess, TestUser } from "../../support/server.ts";

const OWN = "/_myelin/client/v1/privacy/consents";
const POLICIES = [
  "privacy_policy 1.0 en https://example.org/privacy Privacy <policy>",
  "privacy_policy 1.0 zh-CN https://example.org/zh/privacy 隐私政策",
];

describe("consent to policies", () => {
  const server = useServer({
    "privacy.policies": POLICIES,
    "privacy.require_consent": true,
  });
  let alice: TestUser;
  let said: [roomId: string, eventId: string];

  before(async () => {
    alice = await server.user("alice");
  });

  const refused = async (user: Pick<TestUser, "post">): Promise<URL> => {
    const answer = await user.post("/createRoom", {});
    expect(answer.status).to.equal(403);
    expect(answer.body).to.include({ errcode: "M_CONSENT_NOT_GIVEN" });
    return new URL(String(answer.body["consent_uri"]));
  };
  const linkOf = ({ pathname, search }: URL) => pathname + search;

  it("G10: is asked for before anything is sent, joined or uploaded, and for nothing else", async () => {
    await refused(alice);
    for (const answer of [
      await alice.put(path`/rooms/${"!r:test"}/send/m.room.message/t`, {}),
      await alice.post(path`/join/${"!r:test"}`),
      await alice.ask("POST", "/_matrix/media/v3/upload", "bytes"),
    ])
      expect(answer.body).to.include({ errcode: "M_CONSENT_NOT_GIVEN" });
    must(await alice.get("/sync"));
    must(await alice.get("/account/whoami"));
    must(await alice.post("/keys/upload", {}));
  });

  it("is given on a page that runs nothing, by a link that nobody can make for another one", async () => {
    const link = linkOf(await refused(alice));
    const page = await server.get(link);
    expect(page.status).to.equal(200);
    expect(page.text).to.include("https://example.org/zh/privacy");
    expect(page.text).to.not.include("<policy>");
    expect(page.headers["content-security-policy"]).to.match(
      /default-src 'none'/,
    );
    await refused(alice);
    const [, until = "", mac = ""] = link.split(".");
    const other = Buffer.from("@bob:test").toString("base64url");
    const consent = "/_myelin/client/v1/consent?token=";
    const forged = `${consent}${other}.${until}.${mac}`;
    expect((await server.post(forged)).status).to.equal(404);
    // Nor for longer than the day that it is good for.
    const own = Buffer.from(alice.userId).toString("base64url");
    const later = `${consent}${own}.${Number(until) + 1}.${mac}`;
    expect((await server.post(later)).status).to.equal(404);
    const dayMs = 24 * 60 * 60 * 1000;
    expect(Number(until)).to.be.within(Date.now(), Date.now() + dayMs);
    const { settings } = server.edges;
    const overAt = (ago: number) => {
      const now = () => Date.now() - ago;
      const { pathname, search } = new URL(
        consentUrl({ now, settings }, alice.userId),
      );
      return server.get(pathname + search);
    };
    expect((await overAt(dayMs + 1000)).status).to.equal(404);
    expect((await overAt(dayMs - 60_000)).status).to.equal(200);
    expect((await server.post(link)).status).to.equal(200);
    const roomId = await makeRoom(alice);
    said = [roomId, await say(alice, roomId, "hello")];
  });

  it("G10: ends what it allowed when it is withdrawn, and each step is in the ledger and the log", async () => {
    must(await alice.delete(OWN));
    await refused(alice);
    // What one said can be taken back, and one can leave.
    const [roomId, eventId] = said;
    must(await alice.put(path`/rooms/${roomId}/redact/${eventId}/t`, {}));
    must(await alice.post(OWN, { locale: "zh-CN" }));
    await makeRoom(alice);
    const { policies, ledger } = must<{ policies: Json[]; ledger: Json[] }>(
      await alice.get(OWN),
    );
    expect(policies[0]).to.include({ id: "privacy_policy", agreed: true });
    expect(ledger.map(({ agreed, locale }) => [agreed, locale])).to.deep.equal([
      [true, "zh-CN"],
      [false, "en"],
      [true, "en"],
    ]);
    const records = await readAudit(server);
    const told = records.filter(({ action }) =>
      String(action).startsWith("privacy.consent"),
    );
    expect(
      told
        .filter(({ result }) => result === "allowed")
        .map(({ action, actor }) => [action, actor["user_id"]]),
    ).to.deep.equal([
      ["privacy.consent_given", alice.userId],
      ["privacy.consent_withdrawn", alice.userId],
      ["privacy.consent_given", alice.userId],
    ]);
    const officer = await administrator(server, "officer", "privacy-officer");
    const target = `/_myelin/admin/v1/users/${alice.userId}/consents`;
    const seen = must<{ ledger: Json[] }>(await officer.get(target));
    expect(seen.ledger).to.deep.equal(ledger);
    expect((await alice.get(target)).status).to.equal(403);
  });

  it("is asked for anew when a policy is another one", async () => {
    const old = linkOf(await refused(await server.user("bob")));
    const second: TestProcess = await server.startProcess({
      "privacy.policies": POLICIES.map((text) => text.replace("1.0", "2.0")),
    });
    const there = second.as(alice);
    await refused(there);
    expect((await second.post(old)).status).to.equal(404);
    must(await there.post(OWN, {}));
    must(await there.post("/createRoom", {}));
  });

  it("is a stage of registration, which shows the policies", async () => {
    const form = { username: "carol", password: "a long password" };
    const first = await server.post("/register", form);
    expect(first.status).to.equal(401);
    const { flows, params, session } = first.body as {
      flows: Json[];
      params: Json;
      session: string;
    };
    expect(flows).to.deep.equal([
      { stages: ["m.login.dummy", "m.login.terms"] },
    ]);
    expect(params).to.deep.equal({
      "m.login.terms": {
        policies: {
          privacy_policy: {
            version: "1.0",
            en: {
              name: "Privacy <policy>",
              url: "https://example.org/privacy",
            },
            "zh-CN": {
              name: "隐私政策",
              url: "https://example.org/zh/privacy",
            },
          },
        },
      },
    });
    const stage = (type: string) =>
      server.post("/register", { ...form, auth: { type, session } });
    expect((await stage("m.login.dummy")).status).to.equal(401);
    const { access_token: accessToken } = must<{ access_token: string }>(
      await stage("m.login.terms"),
    );
    await makeRoom(server.as({ accessToken }));
  });
});
