import { expect } from "chai";
import { sdkVersion } from "./sdk.ts";
import type { SdkDevice } from "./sdk-device.ts";
import { useStage } from "./stage.ts";
import { Talk } from "./talk.ts";

const SAID = ["before 1", "before 2", "before 3"];

describe(`key backup by matrix-js-sdk ${sdkVersion}, two server processes`, () => {
  const stage = useStage();
  let alice: SdkDevice;
  let bob: SdkDevice;
  let fresh: SdkDevice;
  let last: SdkDevice;
  let talk: Talk;

  it("begins with a talk in an encrypted room", async () => {
    alice = await stage.register("alice", 0);
    bob = await stage.register("bob", 1);
    for (const device of [alice, bob]) await device.goOnline();
    await alice.bootstrapCrossSigning();
    talk = await Talk.begin(alice, bob);
    for (const [i, body] of SAID.entries()) {
      const [speaker, hearer] = i % 2 === 0 ? [alice, bob] : [bob, alice];
      await talk.carry(speaker, body, [hearer]);
    }
  });

  it("backs up the keys of both speakers", async function () {
    this.timeout(60_000);
    await alice.setUpBackup();
    await alice.sees(
      "two sessions in the backup",
      async () => (await alice.countBackedUpKeys()) >= 2,
      45_000,
    );
    const version = await alice.crypto.getActiveSessionBackupVersion();
    expect(version).to.equal("1");
  });

  it("cannot be read by a fresh device without the recovery key", async () => {
    await alice.goOffline();
    fresh = await stage.logIn(alice, 1);
    expect(fresh.deviceId).to.not.equal(alice.deviceId);
    await fresh.goOnline();
    await fresh.waitForRoom(talk.roomId, "join");
    await fresh.sees(
      "messages that it cannot open",
      () => talk.closedTo(fresh).length === SAID.length,
    );
    expect(fresh.texts(talk.roomId)).to.not.include.members(SAID);
  });

  it("gives it every message once it has the recovery key", async () => {
    fresh.recoveryKey = alice.recoveryKey;
    expect(await fresh.restoreBackup()).to.be.at.least(2);
    await fresh.sees("all of it", () =>
      SAID.every((body) => fresh.texts(talk.roomId).includes(body)),
    );
    expect(talk.closedTo(fresh)).to.deep.equal([]);
  });

  it("lets it go on with the talk", async () => {
    await talk.carry(bob, "after", [fresh]);
    await talk.carry(fresh, "and on", [bob]);
  });

  it("puts a device to sleep, of which others hear", async () => {
    await fresh.bootstrapCrossSigning();
    await fresh.crypto.startDehydration();
    await bob.sees("the sleeping device", async () => {
      const known = await bob.crypto.getUserDeviceInfo([alice.userId], true);
      const devices = [...(known.get(alice.userId)?.values() ?? [])];
      return devices.some(({ dehydrated }) => dehydrated);
    });
  });

  it("wakes it where all other devices are gone, and reads what was said meanwhile", async function () {
    this.timeout(60_000);
    for (const device of [alice, fresh]) await device.logOut();
    const question = await talk.say(bob, "nobody there?");
    last = await stage.logIn(alice, 1);
    last.recoveryKey = alice.recoveryKey;
    await last.goOnline();
    await last.waitForRoom(talk.roomId, "join");
    // Only keys that are those of the known identity are taken from secret storage.
    await last.crypto.userHasCrossSigningKeys(alice.userId, true);
    await last.bootstrapCrossSigning();
    await last.crypto.startDehydration();
    await talk.hears(last, question);
  });
});
