import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import { toDevice } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const messages = ownRows("to-device messages");

const TYPE = "org.example.test";

const send = (
  from: User,
  to: User,
  device: string,
  content: JsonObject,
  txnId = from.nextTxn(),
) =>
  from.mustPut(path`/sendToDevice/${TYPE}/${txnId}`, {
    messages: { [to.userId]: { [device]: content } },
  });

const received = (sync: JsonObject): unknown[] =>
  toDevice(sync).map((event) => at(event, "content", "n"));

messages("* reaches every device", async ({ server, alice, bob }) => {
  const devices = [bob, await server.login(bob), await server.login(bob)];
  await send(alice, bob, "*", { n: 1 });
  for (const device of devices)
    await device.syncUntil((sync) => received(sync).includes(1));
});

messages("a repeated transaction is delivered once", async ({ alice, bob }) => {
  for (let time = 0; time < 3; time++)
    await send(alice, bob, bob.deviceId, { n: 1 }, "same");
  await send(alice, bob, bob.deviceId, { n: 2 });
  const seen: unknown[] = [];
  await bob.syncUntil((sync) => {
    seen.push(...received(sync));
    return seen.includes(2);
  });
  expect(seen).to.deep.equal([1, 2]);
});

messages(
  "what was not acknowledged is delivered again",
  async ({ alice, bob }) => {
    const since = await bob.syncToken();
    await send(alice, bob, bob.deviceId, { n: 1 });
    const has = (sync: JsonObject) => received(sync).includes(1);
    await bob.syncUntil(has, { since });
    const again = await bob.sync({ since });
    expect(received(again)).to.deep.equal([1]);
    const acknowledged = String(again["next_batch"]);
    expect(received(await bob.sync({ since: acknowledged }))).to.deep.equal([]);
    expect(received(await bob.sync())).to.deep.equal([]);
  },
);

messages(
  "many arrive in their order, none twice, over several syncs",
  async ({ alice, bob }) => {
    const numbers = Array.from({ length: 130 }, (_, index) => index);
    for (const n of numbers) await send(alice, bob, bob.deviceId, { n });
    const seen: unknown[] = [];
    await bob.syncUntil((sync) => {
      seen.push(...received(sync));
      return seen.length >= numbers.length;
    });
    expect(seen).to.deep.equal(numbers);
  },
);
