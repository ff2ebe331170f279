import { expect } from "chai";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

interface Report {
  reporter: string;
  roomId: string | null;
  eventId: string | null;
  userId: string | null;
  keyId: number;
  reportId: number;
  sealed: Uint8Array;
}

describe("reports", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const stored = () => server.database.sql<Report[]>`
    select report_id, reporter, room_id, event_id, user_id, key_id, sealed
    from reports order by report_id`;

  /** What was stored for it, and the reason, opened. */
  async function lastReport() {
    const rows = await stored();
    const last = rows.reduce((a, b) => (a.reportId > b.reportId ? a : b));
    const { keyId, sealed, reportId } = last;
    expect(Buffer.from(sealed).toString()).not.to.include("because");
    const [text] = await server.edges.keyring.openAll([
      { context: `reports.sealed ${reportId}`, keyId, sealed },
    ]);
    return { ...last, reason: JSON.parse(text!) as unknown };
  }

  it("of events are kept for whoever governs, each with a sealed reason", async () => {
    const roomId = await makePublicRoom(alice);
    const eventId = await say(alice, roomId, "rude");
    await act(bob, roomId, "join");
    const target = path`/rooms/${roomId}/report/${eventId}`;
    must(await bob.post(target, { reason: "because", score: -100 }));
    const report = await lastReport();
    expect(report).to.deep.include({
      ...{ reporter: bob.userId, roomId, eventId, userId: null },
      reason: { reason: "because", score: -100 },
    });
    must(await bob.post(target, {}));
    expect((await lastReport()).reason).to.deep.equal({ reason: "" });
    must(await bob.post(target, { reason: null, score: null }));
  });

  it("of rooms and users are kept where there are such, and answered alike where not", async () => {
    const secret = await makeRoom(alice);
    const before = (await stored()).length;
    const report = (target: string) => bob.post(target, { reason: "because" });
    const real = [
      await report(path`/rooms/${secret}/report`),
      await report(path`/users/${alice.userId}/report`),
    ];
    expect((await stored()).length).to.equal(before + 2);
    const absent = [
      await report(path`/rooms/${`!${"x".repeat(43)}`}/report`),
      await report(path`/users/${"@nobody:test"}/report`),
      await report(path`/users/${"@x:elsewhere.example"}/report`),
    ];
    for (const { status, text } of [...real, ...absent])
      expect([status, text]).to.deep.equal([200, "{}"]);
    for (const target of [
      path`/rooms/${"nonsense"}/report`,
      path`/users/${"nonsense"}/report`,
    ])
      expect((await report(target)).body["errcode"]).to.equal(
        "M_INVALID_PARAM",
      );
    expect((await stored()).length).to.equal(before + 2);
  });

  it("of events that one may not see are refused like those of events that are not there", async () => {
    const secret = await makeRoom(alice);
    const eventId = await say(alice, secret, "private");
    const report = (roomId: string, id: string) =>
      bob.post(path`/rooms/${roomId}/report/${id}`, { reason: "because" });
    const texts = [
      await report(secret, eventId),
      await report(secret, "$absent"),
      await report(`!${"x".repeat(43)}`, eventId),
      await report("nonsense", "nonsense"),
    ].map(({ status, text }) => `${status} ${text}`);
    expect(new Set(texts).size).to.equal(1);
    expect(texts[0]).to.match(/^404 .*M_NOT_FOUND/);
  });

  it("need a reason of some length, where the specification says so", async () => {
    const roomId = await makePublicRoom(alice);
    for (const target of [
      path`/rooms/${roomId}/report`,
      path`/users/${alice.userId}/report`,
    ]) {
      const none = await bob.post(target, {});
      expect(none.body["errcode"]).to.equal("M_MISSING_PARAM");
      const long = await bob.post(target, { reason: "x".repeat(10_001) });
      expect(long.status).to.equal(400);
      must(await bob.post(target, { reason: "" }));
    }
  });
});

describe("reports in a flood", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.report.burst": 2,
  });

  it("row 63: are limited by who reports", async () => {
    const alice = await server.user("alice");
    const target = path`/users/${"@nobody:test"}/report`;
    const statuses = [];
    for (let i = 0; i < 4; i += 1)
      statuses.push((await alice.post(target, { reason: "r" })).status);
    expect(statuses).to.deep.equal([200, 200, 429, 429]);
  });
});
