import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";

const TEST = "TestRegistration";
const ENDPOINT = "parallel/POST / synapse/admin/v1/register";
const password = "a long pass phrase";

row("csapi", TEST, `${ENDPOINT} with shared secret`, async (server) => {
  const username = server.newLocalpart("secret");
  const answer = await server.registerBySecret({ username, password });
  expect(answer.status, answer.raw).to.equal(200);
  const user = server.userOf(answer, password);
  expect(user.localpart).to.equal(username);
  expect(answer.body["home_server"]).to.equal(user.serverName);
  const whoami = await user.mustGet("/account/whoami");
  expect(whoami["user_id"]).to.equal(user.userId);
  await server.login(user);
});

row("csapi", TEST, `${ENDPOINT} admin with shared secret`, async (server) => {
  const username = server.newLocalpart("admin");
  const answer = await server.registerBySecret({
    username,
    password,
    admin: true,
  });
  expect(answer.status, answer.raw).to.equal(200);
  expect(text(answer.body, "user_id")).to.match(new RegExp(`^@${username}:`));
});

row(
  "csapi",
  TEST,
  `${ENDPOINT} with shared secret disallows symbols`,
  async (server) => {
    const username = `${server.newLocalpart("sym")},bol`;
    const answer = await server.registerBySecret({ username, password });
    expectError(answer, 400, "M_INVALID_USERNAME");
  },
);

row(
  "csapi",
  TEST,
  `${ENDPOINT} with shared secret downcases capitals`,
  async (server) => {
    const username = server.newLocalpart("UPPER-Secret");
    const answer = await server.registerBySecret({ username, password });
    expect(answer.status, answer.raw).to.equal(200);
    const user = server.userOf(answer, password);
    expect(user.localpart).to.equal(username.toLowerCase());
  },
);

row("csapi", "TestCanRegisterAdmin", "", async (server) => {
  const admin = await server.user("admin", { admin: true });
  const whoami = await admin.mustGet("/account/whoami");
  expect(whoami["user_id"]).to.equal(admin.userId);

  const target = "/_synapse/admin/v1/register";
  const { nonce } = await server.mustGet(target);
  const username = server.newLocalpart("forged");
  const forged = await server.post(target, {
    nonce,
    username,
    password,
    admin: true,
    mac: "0".repeat(40),
  });
  expectError(forged, 403);
});
