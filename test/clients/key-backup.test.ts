import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { EventType, TimelineEvents } from "matrix-js-sdk";
import { useQuietConsole } from "../support/quiet-console.ts";
import { useDeployment } from "../support/server.ts";
import { useStory } from "../support/story.ts";
import { waitFor } from "../support/wait-for.ts";
import { SdkPerson } from "./sdk-person.ts";
import { loadSdk, sdkVersion, type Sdk } from "./sdk.ts";

type RoomMessageEventContent = TimelineEvents[EventType.RoomMessage];

const SAID = ["before 1", "before 2", "before 3"];

describe(`key backup by matrix-js-sdk ${sdkVersion}, two server processes`, () => {
  let sdk: Sdk;
  let alice: SdkPerson;
  let bob: SdkPerson;
  let fresh: SdkPerson;
  let last: SdkPerson;
  let secondUrl = "";
  let roomId = "";

  after("close the clients", () => {
    for (const person of [alice, bob, fresh, last]) person?.close();
  });
  const deployment = useDeployment();
  useQuietConsole();
  useStory();

  before("start two servers on one database", async function () {
    this.timeout(120_000);
    sdk = await loadSdk();
    const first = await deployment.start();
    const second = await deployment.start();
    secondUrl = second.url;
    const suffix = randomBytes(4).toString("hex");
    alice = await SdkPerson.register(sdk, first.url, `alice-${suffix}`);
    bob = await SdkPerson.register(sdk, second.url, `bob-${suffix}`);
  });

  const say = async (person: SdkPerson, body: string) => {
    const content = { msgtype: "m.text", body } as RoomMessageEventContent;
    const type = "m.room.message" as EventType.RoomMessage;
    await person.client.sendEvent(roomId, type, content);
  };

  const hears = (person: SdkPerson, body: string) =>
    person.waitForEvent(
      roomId,
      body,
      (event) => event.getContent()["body"] === body,
    );

  it("begins with a talk in an encrypted room", async () => {
    for (const person of [alice, bob]) await person.goOnline();
    await alice.bootstrapCrossSigning();
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
    await bob.waitForRoom(roomId, "invite");
    await bob.client.joinRoom(roomId);
    await bob.waitForRoom(roomId, "join");
    await waitFor(
      "alice sees bob in the room",
      [[alice.client, "RoomMember.membership"]],
      () => alice.room(roomId)?.getMember(bob.userId)?.membership === "join",
    );
    for (const [i, body] of SAID.entries()) {
      const [speaker, hearer] = i % 2 === 0 ? [alice, bob] : [bob, alice];
      await say(speaker, body);
      await hears(hearer, body);
    }
  });

  it("backs up the keys of both speakers", async function () {
    this.timeout(60_000);
    await alice.setUpBackup();
    await waitFor(
      "two sessions are backed up",
      [
        [alice.client, "crypto.keyBackupSessionsRemaining"],
        [alice.client, "sync"],
      ],
      async () => (await alice.countBackedUpKeys()) >= 2,
      45_000,
    );
    const version = await alice.crypto.getActiveSessionBackupVersion();
    expect(version).to.equal("1");
  });

  it("cannot be read by a fresh device without the recovery key", async () => {
    await alice.goOffline();
    fresh = await SdkPerson.logIn(sdk, secondUrl, alice);
    expect(fresh.deviceId).to.not.equal(alice.deviceId);
    await fresh.goOnline();
    await fresh.waitForRoom(roomId, "join");
    await waitFor(
      "the messages have come",
      [
        [fresh.client, "Room.timeline"],
        [fresh.client, "Event.decrypted"],
      ],
      () =>
        fresh.events(roomId).filter((event) => event.isDecryptionFailure())
          .length === SAID.length,
    );
    expect(fresh.texts(roomId)).to.not.include.members(SAID);
  });

  it("gives it every message once it has the recovery key", async () => {
    fresh.recoveryKey = alice.recoveryKey;
    expect(await fresh.restoreBackup()).to.be.at.least(2);
    await waitFor(
      "all of it decrypted",
      [[fresh.client, "Event.decrypted"]],
      () => SAID.every((body) => fresh.texts(roomId).includes(body)),
    );
    const failed = fresh
      .events(roomId)
      .filter((event) => event.isDecryptionFailure());
    expect(failed.map((event) => event.getId())).to.deep.equal([]);
  });

  it("lets it go on with the talk", async () => {
    await say(bob, "after");
    await hears(fresh, "after");
    await say(fresh, "and on");
    await hears(bob, "and on");
  });

  it("puts a device to sleep, of which others hear", async () => {
    await fresh.bootstrapCrossSigning();
    await fresh.crypto.startDehydration();
    await waitFor(
      "bob knows the sleeping device",
      [
        [bob.client, "crypto.devicesUpdated"],
        [bob.client, "sync"],
      ],
      async () => {
        const known = await bob.crypto.getUserDeviceInfo([alice.userId], true);
        const devices = [...(known.get(alice.userId)?.values() ?? [])];
        return devices.some(({ dehydrated }) => dehydrated);
      },
    );
  });

  it("wakes it where all other devices are gone, and reads what was said meanwhile", async function () {
    this.timeout(60_000);
    for (const device of [alice, fresh]) await device.logOut();
    await say(bob, "nobody there?");
    last = await SdkPerson.logIn(sdk, secondUrl, alice);
    last.recoveryKey = alice.recoveryKey;
    await last.goOnline();
    await last.waitForRoom(roomId, "join");
    // Only keys that are those of the known identity are taken from secret storage.
    await last.crypto.userHasCrossSigningKeys(alice.userId, true);
    await last.bootstrapCrossSigning();
    await last.crypto.startDehydration();
    await hears(last, "nobody there?");
  });
});
