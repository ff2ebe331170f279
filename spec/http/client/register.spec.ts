import { expect } from "chai";
import { useServer } from "../../support/server.ts";

describe("POST /register, then /login, then /account/whoami", () => {
  const server = useServer();

  it("makes an account that logs in and knows who it is", async () => {
    const form = { username: "alice", password: "wonderland" };
    const asked = await server.post("/register", form);
    expect(asked.status).to.equal(401);
    const { session } = asked.body;
    const auth = { type: "m.login.dummy", session };
    const made = await server.post("/register", { ...form, auth });
    expect(made.status, made.text).to.equal(200);
    expect(made.body["user_id"]).to.equal("@alice:test");

    const opened = await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "alice" },
      password: "wonderland",
    });
    expect(opened.status, opened.text).to.equal(200);
    const accessToken = opened.body["access_token"] as string;
    const me = await server.as({ accessToken }).get("/account/whoami");
    expect(me.body).to.deep.equal({
      user_id: "@alice:test",
      device_id: opened.body["device_id"],
      is_guest: false,
    });
  });
});
