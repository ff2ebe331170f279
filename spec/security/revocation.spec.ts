import { expect } from "chai";
import { must, path } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Json, TestClient, TestUser } from "../support/server.ts";

describe("stolen sessions", () => {
  const server = useServer();
  let other: typeof server | Awaited<ReturnType<typeof server.startProcess>>;

  before(async () => {
    other = await server.startProcess();
  });

  const stageOf = ({ userId, password }: TestUser): Json => ({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: userId },
    password,
  });

  /** A second session of the same user. */
  async function openAnother(user: TestUser) {
    const body = must<{ access_token: string; device_id: string }>(
      await server.post("/login", stageOf(user)),
    );
    return { accessToken: body.access_token, deviceId: body.device_id };
  }

  /** What ends a session that somebody else holds too. */
  const ENDS: Readonly<
    Record<
      string,
      (owner: TestUser, thief: TestClient, deviceId: string) => Promise<unknown>
    >
  > = {
    "its logout": (_owner, thief) => thief.post("/logout"),
    "a logout of all": (owner) => owner.post("/logout/all"),
    "the end of its device": (owner, _thief, deviceId) =>
      owner.delete(path`/devices/${deviceId}`, { auth: stageOf(owner) }),
    "the end of several devices": (owner, _thief, deviceId) =>
      owner.post("/delete_devices", {
        devices: [deviceId],
        auth: stageOf(owner),
      }),
    "another password": (owner) =>
      owner.post("/account/password", {
        new_password: "another password",
        auth: stageOf(owner),
      }),
    "the end of the account": (owner) =>
      owner.post("/account/deactivate", { auth: stageOf(owner) }),
  };

  let names = 0;
  for (const [what, end] of Object.entries(ENDS)) {
    it(`row 58: is dead in every process when ${what} is answered, and its long polls with it`, async () => {
      const owner = await server.user(`owner${(names += 1)}`);
      const session = await openAnother(owner);
      const [here, there] = [server.as(session), other.as(session)];
      const polls = await Promise.all(
        [here, there].map(async (thief) => {
          const { next_batch } = must(await thief.get("/sync"));
          const since = encodeURIComponent(String(next_batch));
          return { answer: thief.get(`/sync?timeout=600000&since=${since}`) };
        }),
      );
      must(
        (await end(owner, here, session.deviceId)) as Parameters<
          typeof must
        >[0],
      );
      for (const thief of [here, there]) {
        const answer = await thief.get("/account/whoami");
        expect([answer.status, answer.body["errcode"]]).to.deep.equal([
          401,
          "M_UNKNOWN_TOKEN",
        ]);
      }
      // Both end, or the spec does not.
      for (const { answer } of polls) await answer;
    });
  }

  it("row 56: interactive authentication serves one of a hundred who replay it at once", async () => {
    const owner = await server.user("replayed");
    const devices = await Promise.all(
      Array.from({ length: 2 }, () => openAnother(owner)),
    );
    const asked = await owner.delete("/devices/ANY", {});
    const auth = { ...stageOf(owner), session: asked.body["session"] };
    const processes = [
      server.as(owner),
      other.as(owner),
      ...devices.map((d) => server.as(d)),
    ];
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        processes[i % processes.length]!.delete("/devices/ANY", { auth }),
      ),
    );
    const served = answers.filter(({ status }) => status === 200);
    expect(served).to.have.length(1);
    for (const { status } of answers)
      expect(status).to.be.oneOf([200, 401, 403]);
  }).timeout(60_000);
});
