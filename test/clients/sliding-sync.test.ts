import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { EventType, TimelineEvents } from "matrix-js-sdk";
import { useQuietConsole } from "../support/quiet-console.ts";
import { useDeployment } from "../support/server.ts";
import { useStory } from "../support/story.ts";
import { waitFor } from "../support/wait-for.ts";
import { SdkPerson } from "./sdk-person.ts";
import { loadSdk, sdkVersion } from "./sdk.ts";

type RoomMessageEventContent = TimelineEvents[EventType.RoomMessage];

describe(`matrix-js-sdk ${sdkVersion} by sliding sync, rust crypto, two server processes`, () => {
  let alice: SdkPerson;
  let bob: SdkPerson;
  let roomId = "";

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

  const say = async (person: SdkPerson, body: string): Promise<string> => {
    const content = { msgtype: "m.text", body } as RoomMessageEventContent;
    const type = "m.room.message" as EventType.RoomMessage;
    return (await person.client.sendEvent(roomId, type, content)).event_id;
  };
  const hears = (person: SdkPerson, body: string) =>
    person.waitForEvent(
      roomId,
      body,
      (event) => event.getContent()["body"] === body,
    );

  it("starts both clients with crypto", async () => {
    for (const person of [alice, bob]) await person.goOnline({ slides: true });
  });

  it("shows an invite, and the encrypted room once it is accepted", async () => {
    const created = await alice.client.createRoom({
      name: "The talk",
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
    const room = await bob.waitForRoom(roomId, "join");
    await waitFor("the name", [[bob.client, "Room.name"]], () =>
      room.name === "The talk" ? true : undefined,
    );
    await alice.waitForRoom(roomId, "join");
    await waitFor(
      "alice sees bob in the room",
      [[alice.client, "RoomMember.membership"]],
      () => alice.room(roomId)?.getMember(bob.userId)?.membership === "join",
    );
  });

  it("carries a talk both ways, encrypted on the wire", async () => {
    await say(alice, "Hello Bob");
    const heard = await hears(bob, "Hello Bob");
    expect(heard.getWireType()).to.equal("m.room.encrypted");
    await say(bob, "Hello Alice");
    await hears(alice, "Hello Alice");
  });

  it("tells who has read, and who types", async () => {
    const last = bob.events(roomId).at(-1)!;
    await bob.client.sendReadReceipt(last);
    await waitFor("bob's receipt", [[alice.client, "Room.receipt"]], () =>
      alice.room(roomId)?.hasUserReadEvent(bob.userId, last.getId()!),
    );
    await bob.client.sendTyping(roomId, true, 10_000);
    await waitFor(
      "bob types",
      [[alice.client, "RoomMember.typing"]],
      () => alice.room(roomId)?.getMember(bob.userId)?.typing,
    );
  });

  it("removes what is redacted", async () => {
    const unwise = await say(alice, "unwise");
    await hears(bob, "unwise");
    await alice.client.redactEvent(roomId, unwise);
    await bob.waitForEvent(
      roomId,
      "the redaction",
      (event) => event.getId() === unwise && event.isRedacted(),
    );
  });

  it("gives one who was away all of it, decrypted", async () => {
    const said = Array.from({ length: 6 }, (_, i) => `while you were out ${i}`);
    await bob.goOffline();
    for (const body of said) await say(alice, body);
    await bob.goOnline({ slides: true });
    await waitFor(
      "all of it",
      [
        [bob.client, "Room.timeline"],
        [bob.client, "Event.decrypted"],
      ],
      async () => {
        // By sliding sync the SDK decrypts what a room list shows; clients ask for the rest.
        for (const event of bob.events(roomId))
          await bob.client.decryptEventIfNeeded(event);
        return said.every((body) => bob.texts(roomId).includes(body));
      },
    );
    await say(bob, "I am back");
    await hears(alice, "I am back");
  });

  it("left nothing undecryptable", () => {
    for (const person of [alice, bob]) {
      const failed = person
        .events(roomId)
        .filter((event) => event.isDecryptionFailure());
      expect(failed.map((event) => event.getId())).to.deep.equal([]);
    }
  });
});
