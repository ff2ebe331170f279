import { expect } from "chai";
import { path } from "../harness/client.ts";
import {
  at,
  isObject,
  list,
  strings,
  type JsonObject,
} from "../harness/json.ts";
import { newDeviceIdentity } from "../harness/keys.ts";
import { ownRows } from "../harness/own-rows.ts";
import { publicRoom } from "../harness/rooms.ts";
import { extension, oneList, Sliding } from "../harness/sliding.ts";
import type { User } from "../harness/user.ts";

const extensions = ownRows("extensions of sliding sync");

const told = (answer: JsonObject, name: string, ...rest: string[]): unknown =>
  at(answer, "extensions", name, ...rest);

extensions(
  "to_device tells until its next_batch comes back",
  async ({ alice, bob }) => {
    const connection = new Sliding(bob);
    const since = told(
      await connection.next(extension("to_device")),
      "to_device",
      "next_batch",
    );
    await alice.mustPut(
      path`/sendToDevice/org.example.test/${alice.nextTxn()}`,
      {
        messages: { [bob.userId]: { [bob.deviceId]: { n: 1 } } },
      },
    );
    const numbers = (answer: JsonObject) =>
      list(told(answer, "to_device"), "events").map((event) =>
        at(event, "content", "n"),
      );
    const ask = extension("to_device", { since });
    const first = await connection.until(
      ask,
      (answer) => numbers(answer).length > 0,
    );
    expect(numbers(first)).to.deep.equal([1]);
    expect(numbers(await connection.next(ask))).to.deep.equal([1]);
    const next = told(first, "to_device", "next_batch");
    const done = await connection.next(extension("to_device", { since: next }));
    expect(numbers(done)).to.deep.equal([]);
  },
);

const upload = async (user: User) => {
  const { deviceKeys, oneTimeKey } = newDeviceIdentity(user);
  await user.mustPost("/keys/upload", {
    device_keys: deviceKeys,
    one_time_keys: { ...oneTimeKey("A"), ...oneTimeKey("B") },
    fallback_keys: oneTimeKey("F"),
  });
};

extensions(
  "e2ee counts keys and tells whose devices changed, and who is gone",
  async ({ alice, bob }) => {
    await upload(alice);
    const roomId = await publicRoom(alice);
    const connection = new Sliding(alice);
    const body = { ...oneList(), ...extension("e2ee") };
    const first = await connection.next(body);
    expect(
      told(first, "e2ee", "device_one_time_keys_count", "signed_curve25519"),
    ).to.equal(2);
    expect(
      told(first, "e2ee", "device_unused_fallback_key_types"),
    ).to.deep.equal(["signed_curve25519"]);
    const has = (section: string) => (answer: JsonObject) => {
      const users = told(answer, "e2ee", "device_lists", section);
      return Array.isArray(users) && users.includes(bob.userId);
    };
    await bob.join(roomId);
    await connection.until(body, has("changed"));
    await upload(bob);
    await connection.until(body, has("changed"));
    await bob.leave(roomId);
    await connection.until(body, has("left"));
  },
);

extensions(
  "account_data tells of all at first, then of changes",
  async ({ alice }) => {
    const roomId = await alice.createRoom();
    const user = path`/user/${alice.userId}`;
    const set = (type: string, n: number) =>
      alice.mustPut(`${user}/account_data/${type}`, { n });
    await set("org.example.a", 1);
    const room = path`/rooms/${roomId}/account_data/org.example.room`;
    await alice.mustPut(`${user}${room}`, { n: 2 });
    const body = { ...oneList(), ...extension("account_data") };
    const connection = new Sliding(alice);
    const typesIn = (answer: JsonObject) =>
      list(told(answer, "account_data"), "global").map(
        (event) => event["type"],
      );
    const first = await connection.next(body);
    expect(typesIn(first)).to.include.members([
      "org.example.a",
      "m.push_rules",
    ]);
    const ofRoom = list(told(first, "account_data"), "rooms", roomId);
    expect(ofRoom.map((event) => event["type"])).to.include("org.example.room");
    await set("org.example.b", 3);
    const later = await connection.until(
      body,
      (answer) => typesIn(answer).length > 0,
    );
    expect(typesIn(later)).to.deep.equal(["org.example.b"]);
  },
);

extensions(
  "receipts and typing are told of listed rooms",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const eventId = await alice.sendText(roomId, "hello");
    const body = {
      ...oneList(),
      extensions: { receipts: { enabled: true }, typing: { enabled: true } },
    };
    const connection = new Sliding(alice);
    await connection.next(body);
    await bob.mustPost(path`/rooms/${roomId}/receipt/m.read/${eventId}`);
    const read = await connection.until(body, (answer) =>
      isObject(told(answer, "receipts", "rooms", roomId)),
    );
    const receipt = told(read, "receipts", "rooms", roomId);
    expect(at(receipt, "type")).to.equal("m.receipt");
    expect(at(receipt, "content", eventId, "m.read", bob.userId, "ts")).to.be.a(
      "number",
    );

    await bob.mustPut(path`/rooms/${roomId}/typing/${bob.userId}`, {
      typing: true,
      timeout: 10_000,
    });
    const typing = await connection.until(body, (answer) =>
      isObject(told(answer, "typing", "rooms", roomId)),
    );
    const event = told(typing, "typing", "rooms", roomId);
    expect(strings(event, "content", "user_ids")).to.deep.equal([bob.userId]);
  },
);
