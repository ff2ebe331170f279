import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { list, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import type { User } from "../harness/user.ts";

const pushers = ownRows("pushers");

/** A pusher whose key no other test has. */
const pusher = (of: User, more: JsonObject = {}): JsonObject => ({
  kind: "http",
  app_id: "org.example.app",
  pushkey: `key of ${of.localpart}`,
  app_display_name: "App",
  device_display_name: "Device",
  lang: "en",
  data: { url: "https://push.example.org/_matrix/push/v1/notify" },
  ...more,
});

const set = (user: User, body: JsonObject) =>
  user.mustPost("/pushers/set", body);

const pushersOf = async (user: User): Promise<JsonObject[]> =>
  list(await user.mustGet("/pushers"), "pushers");

pushers("are set, replaced and taken away", async ({ alice }) => {
  await set(alice, pusher(alice));
  const renamed = pusher(alice, { device_display_name: "New" });
  await set(alice, renamed);
  const [found, ...others] = await pushersOf(alice);
  expect(others).to.deep.equal([]);
  expect(found).to.deep.include(renamed);
  await set(alice, pusher(alice, { kind: null }));
  expect(await pushersOf(alice)).to.deep.equal([]);
});

pushers("of a key go to whoever set it last", async ({ alice, bob }) => {
  const shared = pusher(alice);
  await set(alice, shared);
  await set(bob, shared);
  expect(await pushersOf(alice)).to.deep.equal([]);
  await set(alice, { ...shared, append: true });
  expect(await pushersOf(alice)).to.have.length(1);
  expect(await pushersOf(bob)).to.have.length(1);
});

pushers("go with the device that set them", async ({ server, alice }) => {
  const second = await server.login(alice);
  await set(second, pusher(alice));
  expect(await pushersOf(alice)).to.have.length(1);
  await second.mustPost("/logout");
  expect(await pushersOf(alice)).to.deep.equal([]);
});

pushers("without what they need are refused", async ({ alice }) => {
  const incomplete: JsonObject[] = [
    pusher(alice, { data: {} }),
    pusher(alice, { lang: undefined }),
    { kind: "http", app_id: "org.example.app" },
  ];
  for (const body of incomplete)
    expectError(await alice.post("/pushers/set", body), 400);
  expect(await pushersOf(alice)).to.deep.equal([]);
});
