import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { EventType, TimelineEvents } from "matrix-js-sdk";
import { useQuietConsole } from "../support/quiet-console.ts";
import { useDeployment } from "../support/server.ts";
import { useStory } from "../support/story.ts";
import { waitFor } from "../support/wait-for.ts";
import { SdkPerson } from "./sdk-person.ts";
import { loadSdk, sdkVersion } from "./sdk.ts";
import { verifyByEmoji } from "./verify-by-emoji.ts";

type RoomMessageEventContent = TimelineEvents[EventType.RoomMessage];

describe(`matrix-js-sdk ${sdkVersion}, rust crypto, two server processes`, () => {
  let alice: SdkPerson;
  let bob: SdkPerson;
  let roomId = "";
  let firstId = "";

  after("close the clients", () => {
    for (const person of [alice, bob]) person?.close();
  });
  const deployment = useDeployment();
  useQuietConsole();
  useStory();

  before("start two servers on one database", async function () {
    this.timeout(120_000);
    const sdk = await loadSdk();
    const first = await deployment.start();
    const second = await deployment.start();
    const suffix = randomBytes(4).toString("hex");
    alice = await SdkPerson.register(sdk, first.url, `alice-${suffix}`);
    bob = await SdkPerson.register(sdk, second.url, `bob-${suffix}`);
  });

  const send = (person: SdkPerson, content: object, type = "m.room.message") =>
    person.client.sendEvent(
      roomId,
      type as EventType.RoomMessage,
      content as RoomMessageEventContent,
    );
  const say = async (person: SdkPerson, body: string) =>
    (await send(person, { msgtype: "m.text", body })).event_id;

  it("starts both clients with crypto", async () => {
    await alice.goOnline();
    await bob.goOnline();
    for (const [person, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await waitFor(
        `${other.userId}'s device`,
        [[other.client, "sync"]],
        async () => {
          const { crypto } = person;
          const known = await crypto.getUserDeviceInfo([other.userId], true);
          return known.get(other.userId)?.has(other.deviceId);
        },
      );
    }
  });

  it("sets up cross-signing for both", async () => {
    for (const person of [alice, bob]) {
      await person.bootstrapCrossSigning();
      await waitFor(
        "cross-signing is ready and has signed the device",
        [
          [person.client, "crypto.keysChanged"],
          [person.client, "crypto.devicesUpdated"],
          [person.client, "sync"],
        ],
        async () => {
          const { crypto, userId, deviceId } = person;
          const own = await crypto.getDeviceVerificationStatus(
            userId,
            deviceId,
          );
          return own?.signedByOwner && (await crypto.isCrossSigningReady());
        },
      );
    }
  });

  it("makes an encrypted room of version 12 that both join", async () => {
    const created = await alice.client.createRoom({
      invite: [bob.userId],
      initial_state: [
        {
          type: "m.room.encryption",
          state_key: "",
          content: { algorithm: "m.megolm.v1.aes-sha2" },
        },
      ],
    });
    roomId = created.room_id;
    expect(roomId).to.match(/^![\w-]{43}$/);
    await bob.waitForRoom(roomId, "invite");
    await bob.client.joinRoom(roomId);
    const room = await bob.waitForRoom(roomId, "join");
    await alice.waitForRoom(roomId, "join");
    await waitFor(
      "alice sees bob in the room",
      [[alice.client, "RoomMember.membership"]],
      () => alice.room(roomId)?.getMember(bob.userId)?.membership === "join",
    );
    expect(room.getVersion()).to.equal("12");
    for (const person of [alice, bob])
      expect(await person.crypto.isEncryptionEnabledInRoom(roomId)).to.be.true;
  });

  it("carries a talk both ways, encrypted on the wire", async () => {
    firstId = await say(alice, "Hello Bob");
    const heard = await bob.waitForEvent(
      roomId,
      "the greeting",
      (event) => event.getContent()["body"] === "Hello Bob",
    );
    expect(heard.getId()).to.equal(firstId);
    expect(heard.getWireType()).to.equal("m.room.encrypted");
    await say(bob, "Hello Alice");
    await alice.waitForEvent(
      roomId,
      "the answer",
      (event) => event.getContent()["body"] === "Hello Alice",
    );
  });

  it("lets them verify each other by emoji, which cross-signs", async () => {
    const seen = await verifyByEmoji(alice, bob);
    expect(seen.asking).to.have.length(7);
    expect(seen.asked).to.deep.equal(seen.asking);
    for (const [person, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await waitFor(
        `${person.userId} trusts ${other.userId}`,
        [[person.client, "userTrustStatusChanged"]],
        async () => {
          const { crypto } = person;
          const status = await crypto.getUserVerificationStatus(other.userId);
          return status.isCrossSigningVerified();
        },
      );
    }
  });

  it("shows an edit in place of the first text", async () => {
    await send(alice, {
      msgtype: "m.text",
      body: "* Hello dear Bob",
      "m.new_content": { msgtype: "m.text", body: "Hello dear Bob" },
      "m.relates_to": { rel_type: "m.replace", event_id: firstId },
    });
    const edited = await bob.waitForEvent(
      roomId,
      "the edit",
      (event) => event.getContent()["body"] === "Hello dear Bob",
    );
    expect(edited.getId()).to.equal(firstId);
  });

  it("counts a reaction", async () => {
    await send(
      bob,
      {
        "m.relates_to": {
          rel_type: "m.annotation",
          event_id: firstId,
          key: "👍",
        },
      },
      "m.reaction",
    );
    await waitFor("the reaction", [[alice.client, "Room.timeline"]], () => {
      const relations = alice
        .room(roomId)
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
    const unwise = await say(alice, "unwise");
    await bob.waitForEvent(
      roomId,
      "what will be redacted",
      (event) => event.getContent()["body"] === "unwise",
    );
    await alice.client.redactEvent(roomId, unwise);
    for (const person of [alice, bob])
      await person.waitForEvent(
        roomId,
        "the redaction",
        (event) => event.getId() === unwise && event.isRedacted(),
      );
  });

  it("tells one who was away every message once", async () => {
    const before = bob.texts(roomId);
    const said = Array.from(
      { length: 12 },
      (_, i) => `while you were out ${i}`,
    );
    await bob.goOffline();
    const ids: string[] = [];
    for (const body of said) ids.push(await say(alice, body));
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
    await waitFor(
      "all of it decrypted",
      [[bob.client, "Event.decrypted"]],
      () => said.every((body) => bob.texts(roomId).includes(body)),
    );
    const news = bob.texts(roomId).filter((body) => !before.includes(body));
    expect(news).to.deep.equal(said);
  });

  it("keeps both able to talk after that", async () => {
    await say(bob, "I am back");
    await alice.waitForEvent(
      roomId,
      "bob's return",
      (event) => event.getContent()["body"] === "I am back",
    );
  });

  it("left nothing undecryptable and sent nothing twice", () => {
    for (const person of [alice, bob]) {
      expect(person.wire.delivered).to.have.length.above(5);
      expect(person.wire.repeated).to.deep.equal([]);
      const failed = person
        .events(roomId)
        .filter((event) => event.isDecryptionFailure());
      expect(failed.map((event) => event.getId())).to.deep.equal([]);
    }
  });
});
