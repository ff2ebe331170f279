import { expect } from "chai";
import { expectError, type Answer } from "../harness/client.ts";
import { list, strings, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";

const TEST = "TestRegistration";
const password = "a long pass phrase";

function expectUser(answer: Answer, localpart: string): void {
  expect(answer.status, answer.raw).to.equal(200);
  expect(text(answer.body, "user_id")).to.match(
    /^@[^:]+:.+$/,
    "a full user id",
  );
  expect(text(answer.body, "user_id").split(":")[0]).to.equal(`@${localpart}`);
  expect(text(answer.body, "access_token")).to.not.be.empty;
}

row(
  "csapi",
  TEST,
  "parallel/POST {} returns a set of flows",
  async (server) => {
    const answer = await server.post("/register", {});
    expect(answer.status, answer.raw).to.equal(401);
    expect(answer.headers.get("content-type")).to.match(/^application\/json/);
    const flows = list(answer.body, "flows");
    expect(flows).to.not.be.empty;
    for (const flow of flows) strings(flow, "stages");
    text(answer.body, "session");
  },
);

row(
  "csapi",
  TEST,
  "parallel/POST /register can create a user",
  async (server) => {
    const username = server.newLocalpart("created");
    const answer = await server.registerByForm({ username, password });
    expectUser(answer, username);
    const whoami = await server.userOf(answer, password).get("/account/whoami");
    expect(whoami.body["user_id"]).to.equal(answer.body["user_id"]);
  },
);

row(
  "csapi",
  TEST,
  "parallel/POST /register downcases capitals in usernames",
  async (server) => {
    const username = server.newLocalpart("UPPER");
    const answer = await server.registerByForm({ username, password });
    expectUser(answer, username.toLowerCase());
  },
);

row(
  "csapi",
  TEST,
  "parallel/POST /register returns the same device id as that in the request",
  async (server) => {
    const username = server.newLocalpart("device");
    const device_id = "MY_DEVICE";
    const answer = await server.registerByForm({
      username,
      password,
      device_id,
    });
    expectUser(answer, username);
    expect(answer.body["device_id"]).to.equal(device_id);
  },
);

row(
  "csapi",
  TEST,
  "parallel/POST /register rejects usernames with special characters",
  async (server) => {
    for (const character of "!\":?\\@[]{|}'\n£é%&()*,;<>^`~# ") {
      const username = `${server.newLocalpart("odd")}${character}x`;
      const answer = await server.registerByForm({ username, password });
      expectError(answer, 400, "M_INVALID_USERNAME");
    }
  },
);

row(
  "csapi",
  TEST,
  "parallel/POST /register rejects if user already exists",
  async (server) => {
    const username = server.newLocalpart("twice");
    expectUser(await server.registerByForm({ username, password }), username);
    const again = await server.registerByForm({ username, password: "other" });
    expectError(again, 400, "M_USER_IN_USE");
  },
);

for (const character of "q3._=-/")
  row(
    "csapi",
    TEST,
    // The suite's names show "_" as a space.
    `parallel/POST /register allows registration of usernames with /${character === "_" ? " " : character}`,
    async (server) => {
      const username = `${server.newLocalpart("chr")}${character}`;
      const answer = await server.registerByForm({ username, password });
      expectUser(answer, username);
    },
  );

row(
  "csapi",
  TEST,
  "parallel/Registration accepts non-ascii passwords",
  async (server) => {
    const username = server.newLocalpart("unicode");
    const secret = "pässwörd with ✓ and 密码";
    const answer = await server.registerByForm({ username, password: secret });
    expectUser(answer, username);
    await server.login(server.userOf(answer, secret));
  },
);

const isAvailable = (server: Server, username: string): Promise<Answer> =>
  server.get("/register/available", { username });

row(
  "csapi",
  TEST,
  "parallel/GET /register/available returns available for unregistered user name",
  async (server) => {
    const answer = await isAvailable(server, server.newLocalpart("free"));
    expect(answer.status, answer.raw).to.equal(200);
    expect(answer.body["available"]).to.equal(true);
  },
);

row(
  "csapi",
  TEST,
  "parallel/GET /register/available returns M USER IN USE for registered user name",
  async (server) => {
    const alice = await server.user("taken");
    const answer = await isAvailable(server, alice.localpart);
    expectError(answer, 400, "M_USER_IN_USE");
    expect(answer.body["error"]).to.be.a("string");
  },
);

row(
  "csapi",
  TEST,
  "parallel/GET /register/available returns M INVALID USERNAME for invalid user name",
  async (server) => {
    const answer = await isAvailable(server, "a,comma,is,not,valid");
    expectError(answer, 400, "M_INVALID_USERNAME");
    expect(answer.body["error"]).to.be.a("string");
  },
);
