import { expect } from "chai";
import { sdkVersion } from "./sdk.ts";
import type { SdkDevice } from "./sdk-device.ts";
import { useStage } from "./stage.ts";
import { Talk } from "./talk.ts";

describe(`matrix-js-sdk ${sdkVersion} by sliding sync, rust crypto, two server processes`, () => {
  const stage = useStage();
  let alice: SdkDevice;
  let bob: SdkDevice;
  let talk: Talk;

  it("starts both clients with crypto", async () => {
    alice = await stage.register("alice", 0);
    bob = await stage.register("bob", 1);
    for (const device of [alice, bob]) await device.goOnline({ slides: true });
  });

  it("shows an invite, and the encrypted room once it is accepted", async () => {
    talk = await Talk.begin(alice, bob, "The talk");
    await bob.sees(
      "the name",
      () => bob.room(talk.roomId)?.name === "The talk",
    );
  });

  it("carries a talk both ways, encrypted on the wire", async () => {
    const heard = await talk.hears(bob, await talk.say(alice, "Hello Bob"));
    expect(heard.getContent()["body"]).to.equal("Hello Bob");
    expect(heard.getWireType()).to.equal("m.room.encrypted");
    await talk.carry(bob, "Hello Alice", [alice]);
  });

  it("tells who has read, and who types", async () => {
    const { roomId } = talk;
    const last = bob.events(roomId).at(-1)!;
    await bob.client.sendReadReceipt(last);
    await alice.sees("bob's receipt", () =>
      alice.room(roomId)?.hasUserReadEvent(bob.userId, last.getId()!),
    );
    await bob.client.sendTyping(roomId, true, 10_000);
    await alice.sees(
      "that bob types",
      () => alice.room(roomId)?.getMember(bob.userId)?.typing,
    );
  });

  it("removes what is redacted", async () => {
    const unwise = await talk.carry(alice, "unwise", [bob]);
    await alice.client.redactEvent(talk.roomId, unwise);
    await bob.waitForEvent(
      talk.roomId,
      "the redaction",
      (event) => event.getId() === unwise && event.isRedacted(),
    );
  });

  it("gives one who was away all of it, decrypted", async () => {
    const said = Array.from({ length: 6 }, (_, i) => `while you were out ${i}`);
    await bob.goOffline();
    const ids: string[] = [];
    for (const body of said) ids.push(await talk.say(alice, body));
    await bob.goOnline();
    for (const id of ids) await talk.hears(bob, id);
    expect(bob.texts(talk.roomId)).to.include.members(said);
    await talk.carry(bob, "I am back", [alice]);
  });

  it("left nothing undecryptable", () => {
    for (const device of [alice, bob])
      expect(talk.closedTo(device)).to.deep.equal([]);
  });
});
