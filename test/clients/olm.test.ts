import { expect } from "chai";
import {
  at,
  list,
  object,
  text,
  type JsonObject,
} from "../conformance/harness/json.ts";
import { Server } from "../conformance/harness/server.ts";
import {
  isInvitedIn,
  timeline,
  toDevice,
} from "../conformance/harness/sync.ts";
import type { User } from "../conformance/harness/user.ts";
import { useDeployment } from "../support/server.ts";
import { useStory } from "../support/story.ts";
import { MEGOLM, OLM, olm, OlmDevice, verifySignature } from "./olm-device.ts";

type Session = InstanceType<typeof olm.Session>;

describe("libolm through two server processes", () => {
  const deployment = useDeployment();
  useStory();
  let alice: OlmDevice;
  let bob: OlmDevice;
  let eve: User;
  /** The two ends of one Olm session. */
  let outbound: Session;
  let inbound: Session;

  before("start two servers on one database", async function () {
    this.timeout(120_000);
    const first = new Server({ baseUrl: (await deployment.start()).url });
    const second = new Server({ baseUrl: (await deployment.start()).url });
    alice = new OlmDevice(await first.user("alice"));
    bob = new OlmDevice(await second.user("bob"));
    eve = await first.user("eve");
  });
  after("free what lies outside of the heap", () => {
    for (const session of [outbound, inbound]) session?.free();
    for (const device of [alice, bob]) device?.free();
  });

  it("takes signed device and one-time keys", async () => {
    expect(await alice.upload(1)).to.deep.equal({ signed_curve25519: 1 });
    expect(await bob.upload(3)).to.deep.equal({ signed_curve25519: 3 });
  });

  it("tells the other's device with its signature intact", async () => {
    expect(await alice.query(bob.user)).to.deep.equal(bob.keys);
    expect(await bob.query(alice.user)).to.deep.equal(alice.keys);
  });

  it("gives each one-time key once, oldest first, and counts what is left", async () => {
    const claims = [await alice.claim(bob.user), await alice.claim(bob.user)];
    expect(new Set(claims.map((claim) => claim?.[0])).size).to.equal(2);
    for (const claim of claims)
      verifySignature(
        claim![1],
        bob.user.userId,
        bob.user.deviceId,
        bob.keys.ed25519,
      );
    const sync = await bob.user.sync();
    expect(at(sync, "device_one_time_keys_count")).to.deep.equal({
      signed_curve25519: 1,
    });
  });

  it("carries a room key in an Olm message and the room's messages in Megolm", async () => {
    const group = new olm.OutboundGroupSession();
    group.create();
    const roomId = await meet(alice.user, bob.user);

    const sessionKey = group.session_key();
    await sendOlm(alice, bob, {
      type: "m.room_key",
      content: {
        algorithm: MEGOLM,
        room_id: roomId,
        session_id: group.session_id(),
        session_key: sessionKey,
      },
    });
    const said = { msgtype: "m.text", body: "only bob can read this 🔑" };
    const plaintext = {
      type: "m.room.message",
      content: said,
      room_id: roomId,
    };
    const eventId = await alice.user.send(roomId, "m.room.encrypted", {
      algorithm: MEGOLM,
      sender_key: alice.keys.curve25519,
      device_id: alice.user.deviceId,
      session_id: group.session_id(),
      ciphertext: group.encrypt(JSON.stringify(plaintext)),
    });
    group.free();

    let key: JsonObject = {};
    let encrypted: JsonObject | undefined;
    await bob.user.syncUntil((sync) => {
      const [message] = toDevice(sync);
      if (message) key = openOlm(message);
      encrypted ??= timeline(sync, roomId).find(
        (event) => event["event_id"] === eventId,
      );
      return Object.hasOwn(key, "type") && encrypted !== undefined;
    });
    expect(key).to.include({ type: "m.room_key", sender: alice.user.userId });
    expect(key["recipient"]).to.equal(bob.user.userId);

    const reader = new olm.InboundGroupSession();
    reader.create(text(key, "content", "session_key"));
    const opened = reader.decrypt(text(encrypted, "content", "ciphertext"));
    reader.free();
    expect(JSON.parse(opened.plaintext)).to.deep.equal(plaintext);
    expect(opened.message_index).to.equal(0);
  });

  it("carries the answer over the same Olm session, to that device alone", async () => {
    const since = await alice.user.syncToken();
    const other = await eve.syncToken();
    const answer = { type: "m.dummy", content: {} };
    const { type, body } = inbound.encrypt(JSON.stringify(answer));
    await bob.user.mustPut(
      `/sendToDevice/m.room.encrypted/${bob.user.nextTxn()}`,
      {
        messages: {
          [alice.user.userId]: {
            [alice.user.deviceId]: {
              algorithm: OLM,
              sender_key: bob.keys.curve25519,
              ciphertext: { [alice.keys.curve25519]: { type, body } },
            },
          },
        },
      },
    );
    const sync = await alice.user.syncUntil(
      (answer) => toDevice(answer).length > 0,
      { since },
    );
    const [message] = toDevice(sync);
    expect(message).to.include({
      type: "m.room.encrypted",
      sender: bob.user.userId,
    });
    const received = object(
      message,
      "content",
      "ciphertext",
      alice.keys.curve25519,
    );
    expect(received).to.deep.equal({ type, body });
    expect(JSON.parse(outbound.decrypt(type, body))).to.deep.equal(answer);
    expect(toDevice(await eve.sync({ since: other }))).to.deep.equal([]);
  });

  it("gives the fallback key when no one-time key is left, again and again", async () => {
    const fallback = await bob.uploadFallbackKey();
    await alice.claim(bob.user);
    for (let i = 0; i < 2; i += 1) {
      const claim = await alice.claim(bob.user);
      expect(claim?.[1]).to.include({ key: fallback, fallback: true });
    }
    const sync = await bob.user.sync();
    expect(at(sync, "device_unused_fallback_key_types")).to.deep.equal([]);
  });

  /** Makes an encrypted room with both in it. */
  async function meet(host: User, guest: User): Promise<string> {
    const roomId = await host.createRoom({
      invite: [guest.userId],
      initial_state: [
        {
          type: "m.room.encryption",
          state_key: "",
          content: { algorithm: MEGOLM },
        },
      ],
    });
    await guest.syncUntil((sync) => isInvitedIn(sync, roomId));
    await guest.join(roomId);
    await host.syncUntil((sync) =>
      list(sync, "rooms", "join", roomId, "timeline", "events").some(
        (event) => event["state_key"] === guest.userId,
      ),
    );
    return roomId;
  }

  /** Sends a payload to a device in the first message of a new Olm session. */
  async function sendOlm(from: OlmDevice, to: OlmDevice, payload: JsonObject) {
    const claimed = await from.claim(to.user);
    outbound = new olm.Session();
    outbound.create_outbound(
      from.account,
      to.keys.curve25519,
      text(claimed?.[1], "key"),
    );
    const { type, body } = outbound.encrypt(
      JSON.stringify({
        ...payload,
        sender: from.user.userId,
        recipient: to.user.userId,
        keys: { ed25519: from.keys.ed25519 },
        recipient_keys: { ed25519: to.keys.ed25519 },
      }),
    );
    await from.user.mustPut(
      `/sendToDevice/m.room.encrypted/${from.user.nextTxn()}`,
      {
        messages: {
          [to.user.userId]: {
            [to.user.deviceId]: {
              algorithm: OLM,
              sender_key: from.keys.curve25519,
              ciphertext: { [to.keys.curve25519]: { type, body } },
            },
          },
        },
      },
    );
  }

  /** What alice's to-device message to bob says; keeps the session that it opens. */
  function openOlm(message: JsonObject): JsonObject {
    const content = message["content"];
    const body = text(content, "ciphertext", bob.keys.curve25519, "body");
    inbound = new olm.Session();
    inbound.create_inbound_from(bob.account, text(content, "sender_key"), body);
    bob.account.remove_one_time_keys(inbound);
    return JSON.parse(inbound.decrypt(0, body)) as JsonObject;
  }
});
