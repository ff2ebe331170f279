import { expect } from "chai";
import { useServer } from "../../support/server.ts";
import type { TestClient } from "../../support/server.ts";

describe("POST /logout", () => {
  const server = useServer();

  const expectDead = async (client: TestClient) => {
    const answer = await client.get("/account/whoami");
    expect(answer.status).to.equal(401);
    expect(answer.body).to.include({
      errcode: "M_UNKNOWN_TOKEN",
      soft_logout: false,
    });
  };

  it("ends the session and removes its device", async () => {
    const alice = await server.user("alice");
    expect((await alice.post("/logout")).body).to.deep.equal({});
    await expectDead(alice);
    const rows = await server.database
      .sql`select from devices where user_id = '@alice:test'`;
    expect(rows).to.have.length(0);
  });

  it("row 58: ends it in every process before it answers, and its long poll there", async () => {
    const other = await server.startProcess();
    const bob = await server.user("bob");
    for (let i = 0; i < 20; i += 1) {
      const opened = await server.post("/login", {
        type: "m.login.password",
        user: "bob",
        password: bob.password,
      });
      const session = { accessToken: opened.body["access_token"] as string };
      const [here, there] = [server.as(session), other.as(session)];
      // The other process knows the token now.
      const first = await there.get("/sync");
      const since = first.body["next_batch"] as string;
      const poll = there.get(`/sync?timeout=60000&since=${since}`);
      await here.post("/logout");
      await expectDead(there);
      await poll;
    }
  });

  it("ends every session with /logout/all", async () => {
    const carol = await server.user("carol");
    const opened = await server.post("/login", {
      type: "m.login.password",
      user: "carol",
      password: carol.password,
    });
    const phone = server.as({
      accessToken: opened.body["access_token"] as string,
    });
    await phone.post("/logout/all");
    await expectDead(carol);
    await expectDead(phone);
  });

  it("is refused without a token and with a wrong one", async () => {
    const without = await server.post("/logout");
    expect(without.body["errcode"]).to.equal("M_MISSING_TOKEN");
    await expectDead(server.as({ accessToken: "myl_nonsense" }));
  });
});
