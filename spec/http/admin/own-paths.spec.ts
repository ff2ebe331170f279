import { expect } from "chai";
import { administrator } from "../../support/administrators.ts";
import { downloadPath, uploadImage } from "../../support/media.ts";
import { makePublicRoom, must, say } from "../../support/rooms.ts";
import {
  useServer,
  type Json,
  type TestServer,
  type TestUser,
} from "../../support/server.ts";

const ROOT = "/_myelin/admin/v1";

describe("What Synapse's tools do, at our own paths", () => {
  const server: TestServer = useServer();
  let admin: TestUser;
  let ann: TestUser;
  let of: (rest: string) => string;
  let made = 0;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
  });

  beforeEach(async () => {
    made += 1;
    ann = await server.user(`ann-${made}`);
    of = (rest) => `${ROOT}/users/${encodeURIComponent(ann.userId)}${rest}`;
  });

  const statusOf = async () => (await ann.get("/account/whoami")).status;

  for (const [what, field, refused] of [
    ["suspend", "suspended", 200],
    ["lock", "locked", 401],
  ] as const)
    it(`${what}s an account, tells it, and takes it back`, async () => {
      const at = of(`/${what}`);
      expect(must(await admin.get(at))).to.deep.equal({ [field]: false });
      must(await admin.put(at, { [field]: true }));
      expect(must(await admin.get(at))).to.deep.equal({ [field]: true });
      expect(await statusOf()).to.equal(refused);
      must(await admin.put(at, { [field]: false }));
      expect(await statusOf()).to.equal(200);
    });

  it("resets a password and ends the sessions", async () => {
    const password = "another password of hers";
    must(await admin.post(of("/reset-password"), { new_password: password }));
    expect(await statusOf()).to.equal(401);
    const identifier = { type: "m.id.user", user: ann.userId };
    must(
      await server.post("/login", {
        ...{ type: "m.login.password", identifier, password },
      }),
    );
  });

  it("deactivates an account", async () => {
    must(await admin.post(of("/deactivate"), {}));
    expect(await statusOf()).to.equal(401);
    const account = must(await admin.get(of("")));
    expect(account["deactivated"]).to.equal(true);
  });

  it("keeps from others what somebody sends, until it does no more", async () => {
    const roomId = await makePublicRoom(ann);
    const bob = await server.user("bob");
    must(await bob.post(`/join/${encodeURIComponent(roomId)}`));
    const sees = async (eventId: string) => {
      const at = `/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(eventId)}`;
      return (await bob.get(at)).status;
    };
    must(await admin.post(of("/shadow-ban")));
    expect(await sees(await say(ann, roomId, "unseen"))).to.equal(404);
    must(await admin.delete(of("/shadow-ban")));
    expect(await sees(await say(ann, roomId, "seen"))).to.equal(200);
  });

  it("sets, tells and unsets a limit of messages", async () => {
    const limit = { messages_per_second: 3, burst_count: 9 };
    expect(must(await admin.get(of("/rate-limit")))).to.deep.equal({});
    must(await admin.post(of("/rate-limit"), limit));
    expect(must(await admin.get(of("/rate-limit")))).to.deep.equal(limit);
    must(await admin.delete(of("/rate-limit")));
    expect(must(await admin.get(of("/rate-limit")))).to.deep.equal({});
  });

  it("opens a session that acts as somebody", async () => {
    const { access_token: token } = must<{ access_token: string }>(
      await admin.post(of("/login"), {}),
    );
    const who = must(
      await server.get("/account/whoami", {
        headers: { authorization: `Bearer ${token}` },
      }),
    );
    expect(who["user_id"]).to.equal(ann.userId);
  });

  it("lets somebody replace their cross-signing keys", async () => {
    const keys = await admin.post(of("/allow-cross-signing-reset"));
    expect(keys.status).to.equal(404);
    expect(keys.body["errcode"]).to.equal("M_NOT_FOUND");
  });

  it("tells from where somebody came, and what is kept of them", async () => {
    must(
      await ann.put(`/user/${ann.userId}/account_data/org.own`, { kept: 1 }),
    );
    const roomId = await makePublicRoom(ann);
    const { devices } = must<{ devices: Json }>(await admin.get(of("/whois")));
    expect(Object.keys(devices)).to.deep.equal([ann.deviceId]);
    const { account_data: data } = must<{ account_data: { global: Json } }>(
      await admin.get(of("/account-data")),
    );
    expect(data.global["org.own"]).to.deep.equal({ kept: 1 });
    const entered = must(await admin.get(of("/entered-room-count")));
    expect(entered).to.deep.equal({ cumulative_joined_room_count: 1 });
    const sent = must(await admin.get(of("/sent-invite-count?from_ts=0")));
    expect(sent).to.deep.equal({ invite_count: 0 });
    const joined = must(await admin.get(of("/memberships?membership=join")));
    expect(joined).to.deep.include({
      memberships: [{ room_id: roomId, membership: "join" }],
      total: 1,
    });
    const left = must(await admin.get(of("/memberships?membership=leave")));
    expect(left).to.deep.include({ memberships: [], total: 0 });
  });

  it("lists where notifications go", async () => {
    must(
      await ann.post("/pushers/set", {
        ...{ kind: "http", app_id: "org.app", pushkey: "key", lang: "en" },
        ...{ app_display_name: "App", device_display_name: "Phone" },
        data: { url: "https://push.example.org/_matrix/push/v1/notify" },
      }),
    );
    const { pushers, total } = must<{ pushers: Json[]; total: number }>(
      await admin.get(of("/pushers")),
    );
    expect(total).to.equal(1);
    expect(pushers[0]).to.include({ kind: "http", pushkey: "key" });
  });

  it("makes devices and ends several", async () => {
    for (const device of ["ONE", "TWO"]) {
      const made = await admin.post(of("/devices"), { device_id: device });
      expect(made.status).to.equal(201);
    }
    must(await admin.post(of("/devices/delete"), { devices: ["ONE", "TWO"] }));
    const { total } = must(await admin.get(of("/devices")));
    expect(total).to.equal(1);
  });

  it("finds whose a name is", async () => {
    const free = `${ROOT}/look-up/username?username=`;
    expect(must(await admin.get(`${free}nobody-yet`))).to.deep.equal({
      available: true,
    });
    const taken = await admin.get(`${free}root`);
    expect(taken.body["errcode"]).to.equal("M_USER_IN_USE");
    must(
      await admin.put(of(""), {
        threepids: [{ medium: "email", address: "ann@example.org" }],
        external_ids: [{ auth_provider: "oidc", external_id: "ann" }],
      }),
    );
    for (const where of [
      "third-party-ids/email/ann%40example.org",
      "external-ids/oidc/ann",
    ])
      expect(
        must(await admin.get(`${ROOT}/look-up/${where}`)),
        where,
      ).to.deep.equal({ user_id: ann.userId });
    const absent = await admin.get(`${ROOT}/look-up/external-ids/oidc/nobody`);
    expect(absent.status).to.equal(404);
  });

  it("keeps a file from being withheld, until it does no more", async () => {
    const mediaId = await uploadImage(ann);
    const at = `${ROOT}/media/test/${mediaId}/quarantine`;
    const isHeld = async () =>
      (await ann.get(downloadPath(mediaId))).status === 404;
    must(await admin.post(`${ROOT}/media/${mediaId}/protect`));
    must(await admin.post(at));
    expect(await isHeld()).to.equal(false);
    must(await admin.post(`${ROOT}/media/${mediaId}/unprotect`));
    must(await admin.post(at));
    expect(await isHeld()).to.equal(true);
  });

  it("lets the server's own jobs rest, run again, and run at once", async () => {
    const at = `${ROOT}/background-jobs/enabled`;
    must(await admin.post(at, { enabled: false }));
    expect(must(await admin.get(at))).to.deep.equal({ enabled: false });
    must(await admin.post(at, { enabled: true }));
    expect(must(await admin.get(at))).to.deep.equal({ enabled: true });
    const start = `${ROOT}/background-jobs/start`;
    const unknown = await admin.post(start, { job_name: "no such job" });
    expect(unknown.status).to.equal(400);
  });
});
