import { expect } from "chai";
import { sdkVersion } from "./sdk.ts";
import type { SdkDevice } from "./sdk-device.ts";
import { useStage } from "./stage.ts";
import { Talk } from "./talk.ts";
import { verifyByEmoji } from "./verify-by-emoji.ts";

describe(`matrix-js-sdk ${sdkVersion}, rust crypto, two server processes`, () => {
  const stage = useStage();
  let alice: SdkDevice;
  let bob: SdkDevice;
  let talk: Talk;
  let firstId = "";

  it("starts both clients with crypto", async () => {
    alice = await stage.register("alice", 0);
    bob = await stage.register("bob", 1);
    for (const device of [alice, bob]) await device.goOnline();
    await alice.knowsDevices(bob.userId, [bob.deviceId]);
    await bob.knowsDevices(alice.userId, [alice.deviceId]);
  });

  it("sets up cross-signing for both", async () => {
    for (const device of [alice, bob]) {
      await device.bootstrapCrossSigning();
      await device.sees("itself signed, and cross-signing ready", async () => {
        const { crypto, userId, deviceId } = device;
        const own = await crypto.getDeviceVerificationStatus(userId, deviceId);
        return own?.signedByOwner && (await crypto.isCrossSigningReady());
      });
    }
  });

  it("makes an encrypted room of version 12 that both join", async () => {
    talk = await Talk.begin(alice, bob);
    expect(talk.roomId).to.match(/^![\w-]{43}$/);
    expect(bob.room(talk.roomId)?.getVersion()).to.equal("12");
    for (const { crypto } of [alice, bob])
      expect(await crypto.isEncryptionEnabledInRoom(talk.roomId)).to.be.true;
  });

  it("carries a talk both ways, encrypted on the wire", async () => {
    firstId = await talk.say(alice, "Hello Bob");
    const heard = await talk.hears(bob, firstId);
    expect(heard.getContent()["body"]).to.equal("Hello Bob");
    expect(heard.getWireType()).to.equal("m.room.encrypted");
    await talk.carry(bob, "Hello Alice", [alice]);
  });

  it("lets them verify each other by emoji, which cross-signs", async () => {
    const seen = await verifyByEmoji(alice, bob);
    expect(seen.asking).to.have.length(7);
    expect(seen.asked).to.deep.equal(seen.asking);
    for (const [device, other] of [
      [alice, bob],
      [bob, alice],
    ] as const)
      await device.sees(`${other.userId} as trusted`, async () => {
        const { crypto } = device;
        const status = await crypto.getUserVerificationStatus(other.userId);
        return status.isCrossSigningVerified();
      });
  });

  it("shows an edit in place of the first text", async () => {
    await talk.send(alice, "m.room.message", {
      msgtype: "m.text",
      body: "* Hello dear Bob",
      "m.new_content": { msgtype: "m.text", body: "Hello dear Bob" },
      "m.relates_to": { rel_type: "m.replace", event_id: firstId },
    });
    const edited = await bob.waitForEvent(
      talk.roomId,
      "the edit",
      (event) => event.getContent()["body"] === "Hello dear Bob",
    );
    expect(edited.getId()).to.equal(firstId);
  });

  it("counts a reaction", async () => {
    await talk.send(bob, "m.reaction", {
      "m.relates_to": {
        rel_type: "m.annotation",
        event_id: firstId,
        key: "👍",
      },
    });
    await alice.sees("the reaction", () => {
      const relations = alice
        .room(talk.roomId)
        ?.relations.getChildEventsForEvent(
          firstId,
          "m.annotation",
          "m.reaction",
        );
      const [[key, events] = []] = relations?.getSortedAnnotationsByKey() ?? [];
      return key === "👍" && events?.size === 1;
    });
  });

  it("removes what is redacted on both sides", async () => {
    const unwise = await talk.carry(alice, "unwise", [bob]);
    await alice.client.redactEvent(talk.roomId, unwise);
    for (const device of [alice, bob])
      await device.waitForEvent(
        talk.roomId,
        "the redaction",
        (event) => event.getId() === unwise && event.isRedacted(),
      );
  });

  it("tells one who was away every message once", async () => {
    const { roomId } = talk;
    const before = bob.texts(roomId);
    const said = Array.from(
      { length: 12 },
      (_, i) => `while you were out ${i}`,
    );
    await bob.goOffline();
    const ids: string[] = [];
    for (const body of said) ids.push(await talk.say(alice, body));
    await bob.goOnline();
    await bob.waitForEvent(
      roomId,
      "the newest message",
      (event) => event.getId() === ids.at(-1),
    );
    const isComplete = () =>
      bob.events(roomId).some((event) => event.getId() === ids[0]);
    for (let page = 0; page < 6 && !isComplete(); page += 1)
      await bob.client.scrollback(bob.room(roomId)!, 3);
    await bob.sees("all of it", () =>
      said.every((body) => bob.texts(roomId).includes(body)),
    );
    const news = bob.texts(roomId).filter((body) => !before.includes(body));
    expect(news).to.deep.equal(said);
  });

  it("keeps both able to talk after that", async () => {
    await talk.carry(bob, "I am back", [alice]);
  });

  it("left nothing undecryptable and sent nothing twice", () => {
    for (const device of [alice, bob]) {
      expect(device.wire.delivered).to.have.length.above(5);
      expect(device.wire.repeated).to.deep.equal([]);
      expect(talk.closedTo(device)).to.deep.equal([]);
    }
  });
});
