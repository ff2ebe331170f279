import { expect } from "chai";
import type {
  EventType,
  HttpApiEvent,
  PushRuleAction,
  PushRuleActionName,
  PushRuleCondition,
  PushRuleKind,
} from "matrix-js-sdk";
import type { DeviceProgram } from "./device-program.ts";
import { sdkVersion } from "./sdk.ts";
import type { SdkDevice } from "./sdk-device.ts";
import { useStage } from "./stage.ts";
import { hasNio, startNioDevice } from "./start-device.ts";
import { Talk } from "./talk.ts";
import { verifyByEmoji } from "./verify-by-emoji.ts";

/** Parts that need Debian's python3-matrix-nio are named where it is not installed. */
const itWithNio = (title: string, run: () => Promise<void>) =>
  it(title, hasNio ? run : undefined);

for (const slides of [false, true])
  describe(`five devices of two people by ${slides ? "sliding sync" : "sync"}, matrix-js-sdk ${sdkVersion} and matrix-nio, two server processes`, function () {
    // Each of them has to do its part, on machines that have other work as well.
    this.timeout(180_000);
    let terminal: DeviceProgram | undefined;
    after("end the terminal", () => terminal?.end());
    const stage = useStage();
    /** Alice's. */
    let laptop: SdkDevice;
    let phone: SdkDevice;
    let terminalId = "";
    let fresh: SdkDevice;
    /** Bob's. */
    let desktop: SdkDevice;
    let tablet: SdkDevice;
    let talk: Talk;
    let rootId = "";
    let pollId = "";

    const everyone = () => [laptop, phone, desktop, tablet];
    const others = (speaker: SdkDevice) =>
      everyone().filter((device) => device !== speaker);
    const terminalSays = (content: object, type = "m.room.message") =>
      terminal!.ask("send", { room_id: talk.roomId, type, content });
    const terminalHears = (event_id: string) =>
      terminal!.ask("hear", { event_id });

    it("begins with a device of each, with cross-signing and a key backup", async () => {
      laptop = await stage.register("alice", 0);
      desktop = await stage.register("bob", 1);
      for (const device of [laptop, desktop]) {
        await device.goOnline({ slides });
        await device.bootstrapCrossSigning();
        await device.setUpBackup();
      }
    });

    it("verifies the second device of each by emoji, which gives it the secrets", async () => {
      phone = await stage.logIn(laptop, 1);
      tablet = await stage.logIn(desktop, 0);
      for (const [old, added] of [
        [laptop, phone],
        [desktop, tablet],
      ] as const) {
        await added.goOnline({ slides });
        const both = [old.deviceId, added.deviceId];
        for (const device of [old, added])
          await device.knowsDevices(old.userId, both);
        const seen = await verifyByEmoji(old, added);
        expect(seen.asked).to.deep.equal(seen.asking).and.have.length(7);
        await added.sees("itself signed, with all secrets", async () => {
          const { crypto, userId, deviceId } = added;
          const own = await crypto.getDeviceVerificationStatus(
            userId,
            deviceId,
          );
          return (
            own?.crossSigningVerified &&
            (await crypto.isCrossSigningReady()) &&
            (await crypto.getSessionBackupPrivateKey()) !== null
          );
        });
      }
    });

    it("makes an encrypted room, in which all devices hear each", async () => {
      talk = await Talk.begin(laptop, desktop);
      for (const device of [phone, tablet])
        await device.waitForRoom(talk.roomId, "join");
      for (const speaker of everyone()) {
        const body = `${speaker.deviceId} speaks`;
        const id = await talk.carry(speaker, body, others(speaker));
        rootId ||= id;
      }
    });

    it("verifies each other's person by emoji, which all their devices learn", async () => {
      const seen = await verifyByEmoji(laptop, desktop);
      expect(seen.asked).to.deep.equal(seen.asking).and.have.length(7);
      for (const device of everyone()) {
        const [other] = [laptop, desktop].filter(
          ({ userId }) => userId !== device.userId,
        );
        const { userId } = other!;
        await device.sees(`${userId} as trusted`, async () => {
          const { crypto } = device;
          const status = await crypto.getUserVerificationStatus(userId);
          return status.isCrossSigningVerified();
        });
      }
    });

    itWithNio(
      "adds a terminal, which cannot open what was said before",
      async () => {
        terminal = startNioDevice();
        const login = await terminal.ask("log_in", {
          url: stage.url(1),
          name: laptop.userId,
          password: laptop.password,
        });
        terminalId = login.device_id;
        const room_id = talk.roomId;
        const user_ids = [laptop.userId, desktop.userId];
        await terminal.ask("meet", { room_id, user_ids });
        await terminal.ask("miss", { event_id: rootId });
        const ofAlice = [laptop.deviceId, phone.deviceId, terminalId];
        const ofBob = [desktop.deviceId, tablet.deviceId];
        const devices = { [laptop.userId]: ofAlice, [desktop.userId]: ofBob };
        await terminal.ask("know", { devices });
        for (const device of everyone())
          await device.knowsDevices(laptop.userId, ofAlice);
      },
    );

    itWithNio("cross-signs the terminal, for bob's devices too", async () => {
      await laptop.crypto.crossSignDevice(terminalId);
      for (const device of [phone, desktop, tablet])
        await device.sees("the terminal as verified", async () => {
          const status = await device.crypto.getDeviceVerificationStatus(
            laptop.userId,
            terminalId,
          );
          return status?.isVerified();
        });
    });

    itWithNio("shares keys with the terminal that asks for them", async () => {
      const { userId: user_id, deviceId: device_id } = laptop;
      await terminal!.ask("trust", { user_id, device_id });
      expect(await terminal!.ask("request_keys", {})).to.be.at.least(1);
      const { content } = await terminalHears(rootId);
      expect(content["body"]).to.equal(`${laptop.deviceId} speaks`);
    });

    itWithNio("carries what the terminal says, and to it", async () => {
      const said = await terminalSays({ msgtype: "m.text", body: "beep" });
      for (const device of everyone()) {
        const heard = await talk.hears(device, said);
        expect(heard.getContent()["body"]).to.equal("beep");
        await terminalHears(await talk.say(device, "boop"));
      }
    });

    it("keeps a thread in which several take part", async () => {
      const relation = { rel_type: "m.thread", event_id: rootId };
      const replies = [
        await talk.say(desktop, "in the thread", relation),
        await talk.say(phone, "me too", relation),
      ];
      if (terminal) {
        const content = { msgtype: "m.text", body: "beep" };
        const reply = { ...content, "m.relates_to": relation };
        replies.push(await terminalSays(reply));
      }
      for (const device of everyone()) {
        for (const id of replies) await talk.hears(device, id);
        // The SDK may have counted one that the server's count holds too.
        await device.sees("all of the thread", () => {
          const thread = device.room(talk.roomId)?.getThread(rootId);
          return (thread?.length ?? 0) >= replies.length;
        });
        const { chunk } = await device.client.createThreadListMessagesRequest(
          talk.roomId,
          null,
        );
        const counts = chunk.map(({ event_id, unsigned }) => [
          event_id,
          unsigned?.["m.relations"]?.["m.thread"].count,
        ]);
        expect(counts).to.deep.equal([[rootId, replies.length]]);
      }
      for (const id of replies) if (terminal) await terminalHears(id);
    });

    it("shows an edit in place of the first text", async () => {
      await talk.send(laptop, "m.room.message", {
        msgtype: "m.text",
        body: "* the laptop speaks",
        "m.new_content": { msgtype: "m.text", body: "the laptop speaks" },
        "m.relates_to": { rel_type: "m.replace", event_id: rootId },
      });
      for (const device of everyone())
        await device.waitForEvent(
          talk.roomId,
          "the edit",
          (event) =>
            event.getId() === rootId &&
            event.getContent()["body"] === "the laptop speaks",
        );
    });

    it("counts reactions", async () => {
      const reaction = {
        rel_type: "m.annotation",
        event_id: rootId,
        key: "👍",
      };
      for (const device of [phone, tablet])
        await talk.send(device, "m.reaction", { "m.relates_to": reaction });
      for (const device of everyone())
        await device.sees("two thumbs", () => {
          const relations = device
            .room(talk.roomId)
            ?.relations.getChildEventsForEvent(
              rootId,
              "m.annotation",
              "m.reaction",
            );
          const [top] = relations?.getSortedAnnotationsByKey() ?? [];
          return top?.[0] === "👍" && top[1].size === 2;
        });
    });

    it("holds a poll, whose votes each device counts", async () => {
      pollId = await talk.send(phone, "org.matrix.msc3381.poll.start", {
        "org.matrix.msc1767.text": "Lunch? 1. soup 2. bread",
        "org.matrix.msc3381.poll.start": {
          kind: "org.matrix.msc3381.poll.disclosed",
          max_selections: 1,
          question: { "org.matrix.msc1767.text": "Lunch?" },
          answers: [
            { id: "soup", "org.matrix.msc1767.text": "soup" },
            { id: "bread", "org.matrix.msc1767.text": "bread" },
          ],
        },
      });
      const relation = { rel_type: "m.reference", event_id: pollId };
      const vote = (answer: string) => ({
        "m.relates_to": relation,
        "org.matrix.msc3381.poll.response": { answers: [answer] },
      });
      const type = "org.matrix.msc3381.poll.response";
      await talk.hears(desktop, pollId);
      const votes = [
        await talk.send(desktop, type, vote("soup")),
        await talk.send(laptop, type, vote("bread")),
      ];
      const end = await talk.send(phone, "org.matrix.msc3381.poll.end", {
        "org.matrix.msc1767.text": "The poll is closed.",
        "org.matrix.msc3381.poll.end": {},
        "m.relates_to": relation,
      });
      for (const device of everyone()) {
        for (const id of [...votes, end]) await talk.hears(device, id);
        const room = device.room(talk.roomId)!;
        // By sliding sync the SDK leaves it to clients to look for polls.
        if (slides) await room.processPollEvents(device.events(talk.roomId));
        const answers = await device.sees("the closed poll", async () => {
          const poll = room.polls.get(pollId);
          const responses = await poll?.getResponses();
          if (!poll?.isEnded || poll.undecryptableRelationsCount > 0)
            return undefined;
          const events = responses?.getRelations() ?? [];
          return events.length === votes.length && events;
        });
        const chosen = answers.map((event) => [
          event.getSender(),
          event.getContent()[type]?.answers,
        ]);
        expect(chosen).to.have.deep.members([
          [desktop.userId, ["soup"]],
          [laptop.userId, ["bread"]],
        ]);
      }
    });

    it("pins an event for all", async () => {
      const type = "m.room.pinned_events" as EventType.RoomPinnedEvents;
      const { client } = laptop;
      await client.sendStateEvent(talk.roomId, type, { pinned: [rootId] });
      for (const device of everyone())
        await device.sees("the pinned event", () => {
          const state = device.room(talk.roomId)?.currentState;
          const pinned = state?.getStateEvents(type, "")?.getContent();
          return pinned?.["pinned"]?.includes(rootId);
        });
    });

    it("tells all of a person's devices the person's push rules", async () => {
      const { client } = desktop;
      const keyword = "content" as PushRuleKind.ContentSpecific;
      await client.addPushRule("global", keyword, "lunch", {
        pattern: "lunch",
        actions: ["notify", { set_tweak: "highlight" }] as PushRuleAction[],
      });
      // As Element mutes a room.
      const override = "override" as PushRuleKind.Override;
      const inRoom = {
        kind: "event_match",
        key: "room_id",
        pattern: talk.roomId,
      };
      await client.addPushRule("global", override, talk.roomId, {
        conditions: [inRoom as PushRuleCondition],
        actions: ["dont_notify" as PushRuleActionName],
      });
      const has = (kind: "content" | "override", id: string) =>
        tablet.client.pushRules?.global[kind]?.some(
          ({ rule_id }) => rule_id === id,
        ) === true;
      await tablet.sees(
        "both rules",
        () => has("content", "lunch") && has("override", talk.roomId),
      );
      const actionsFor = async (body: string) => {
        const id = await talk.say(laptop, body);
        const event = await talk.hears(tablet, id);
        return tablet.client.getPushActionsForEvent(event, true);
      };
      expect((await actionsFor("is lunch ready?"))?.notify).to.be.false;

      await client.deletePushRule("global", override, talk.roomId);
      await tablet.sees("one rule gone", () => !has("override", talk.roomId));
      const actions = await actionsFor("lunch is ready");
      expect(actions?.notify).to.be.true;
      expect(actions?.tweaks.highlight).to.be.true;
    });

    it("counts what is unread on one device until it is read on the other", async () => {
      const unread = () =>
        tablet.room(talk.roomId)?.getRoomUnreadNotificationCount();
      const id = await talk.carry(laptop, "not yet read", [desktop, tablet]);
      await tablet.sees("that something is unread", () => (unread() ?? 0) > 0);
      const last = await talk.hears(desktop, id);
      // Of all threads: by sliding sync a room has one count.
      await desktop.client.sendReadReceipt(last, undefined, true);
      await tablet.sees("that all is read", () => unread() === 0);
    });

    it("gives a fresh device all of it from the key backup", async function () {
      this.timeout(90_000);
      const keys = await laptop.crypto.exportRoomKeys();
      await laptop.sees(
        "all keys in the backup",
        async () => (await laptop.countBackedUpKeys()) >= keys.length,
        60_000,
      );
      fresh = await stage.logIn(laptop, 0);
      await fresh.goOnline({ slides });
      await fresh.waitForRoom(talk.roomId, "join");
      await fresh.sees(
        "messages that it cannot open",
        () => talk.closedTo(fresh).length > 0,
      );
      fresh.recoveryKey = laptop.recoveryKey;
      expect(await fresh.restoreBackup()).to.be.at.least(keys.length);
      await fresh.scrollTo(talk.roomId, rootId);
      await talk.hears(fresh, rootId);
      await fresh.sees("all of it", () => talk.closedTo(fresh).length === 0);
      expect(fresh.texts(talk.roomId)).to.include.members(["not yet read"]);
    });

    it("signs the fresh device by the recovery key, which bob sees", async () => {
      await fresh.crypto.userHasCrossSigningKeys(laptop.userId, true);
      await fresh.bootstrapCrossSigning();
      await desktop.sees("the fresh device as verified", async () => {
        const status = await desktop.crypto.getDeviceVerificationStatus(
          fresh.userId,
          fresh.deviceId,
        );
        return status?.isVerified();
      });
    });

    it("ends a lost device: it hears nothing more, and no key goes to it", async () => {
      const before = await talk.hears(
        fresh,
        await talk.carry(desktop, "where is the phone?", [phone]),
      );
      let isLoggedOut = false;
      const ended = "Session.logged_out" as HttpApiEvent.SessionLoggedOut;
      phone.client.once(ended, () => {
        isLoggedOut = true;
      });
      await laptop.deleteDevice(phone.deviceId);
      await phone.sees("that it is logged out", () => isLoggedOut);
      const left = [laptop.deviceId, fresh.deviceId, terminalId];
      const known = left.filter((id) => id !== "");
      for (const device of [laptop, fresh, desktop, tablet])
        await device.knowsDevices(laptop.userId, known);
      const after = await talk.hears(
        fresh,
        await talk.carry(desktop, "it is lost", [laptop, tablet]),
      );
      const sessionOf = (event: typeof after) =>
        event.getWireContent()["session_id"] as unknown;
      expect(sessionOf(after)).to.not.equal(sessionOf(before));
      if (terminal) await terminalHears(after.getId()!);
    });

    it("left nothing that a device cannot open", async () => {
      for (const device of [laptop, fresh, desktop, tablet])
        expect(talk.closedTo(device)).to.deep.equal([]);
      if (!terminal) return;
      const { closed } = await terminal.ask("following", {});
      expect(closed).to.deep.equal({});
    });
  });
