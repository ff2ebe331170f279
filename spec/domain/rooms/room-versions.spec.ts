import { expect } from "chai";
import { checkAuth } from "../../../src/core/auth/check.ts";
import { checkAuthEvents } from "../../../src/core/auth/check-auth-events.ts";
import { mergeEventText } from "../../../src/core/event-parts.ts";
import { asJson, type RoomEvent } from "../../../src/core/event.ts";
import { toRoomEvent } from "../../../src/core/event-id.ts";
import { inspectEvent } from "../../../src/core/inspect-event.ts";
import { readJson } from "../../../src/core/json-reader.ts";
import { getRoomRules, roomVersions } from "../../../src/core/room-version.ts";
import { findSignature, isSignedText } from "../../../src/core/signing.ts";
import { publicKeyOf } from "../../../src/core/signing-key.ts";
import { applyToState } from "../../../src/core/state/linear.ts";
import { resolveState } from "../../../src/core/state/resolve.ts";
import {
  stateKeyOf,
  type StateMap,
} from "../../../src/core/state/state-map.ts";
import { listEventParts } from "../../../src/storage/events.ts";
import { act, makeRoom, say, setState } from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("rooms of every version", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  /** A room in which everything happens that we build events for. */
  const liveInRoom = async (version: string): Promise<string> => {
    const roomId = await makeRoom(alice, {
      room_version: version,
      name: "The room",
      invite: [bob.userId],
    });
    await act(bob, roomId, "join");
    await say(alice, roomId, "Hello, 世界 😀");
    await setState(alice, roomId, "org.example.\ufffd😀", { "10": 1, "2": 2 });
    await act(alice, roomId, "kick", { user_id: bob.userId });
    await act(alice, roomId, "ban", { user_id: bob.userId });
    await act(alice, roomId, "unban", { user_id: bob.userId });
    return roomId;
  };

  /** The events of a room as another server would get them, oldest first. */
  const readPdus = async (roomId: string) => {
    const { sql } = server.database;
    const rows = await sql<{ nid: number; eventId: string }[]>`
      select e.nid, e.event_id from events e join rooms r using (room_nid)
      where r.room_id = ${roomId} order by position`;
    const parts = await listEventParts(
      sql,
      rows.map(({ nid }) => nid),
    );
    const { keyring } = server.edges;
    const keys = await keyring.findByIds(
      parts.flatMap(({ firstKey, secondKey }) =>
        firstKey === null ? [] : [firstKey, secondKey!],
      ),
    );
    return rows.map(({ nid, eventId }) => {
      const { skeleton, firstKey, secondKey, sealed } = parts.find(
        (part) => part.nid === nid,
      )!;
      const content =
        firstKey === null
          ? null
          : keyring.open(
              { firstKey, secondKey: secondKey!, sealed: sealed! },
              eventId,
              keys,
            )!;
      return { eventId, text: mergeEventText(skeleton, content) };
    });
  };

  for (const version of roomVersions) {
    it(`makes events of version ${version} that another server accepts`, async () => {
      const rules = getRoomRules(version);
      const roomId = await liveInRoom(version);
      const { serverKey, settings } = server.edges;
      const publicKey = publicKeyOf(serverKey.privateKey);
      const known = new Map<string, RoomEvent>();
      const after = new Map<string, StateMap>();
      for (const { eventId, text } of await readPdus(roomId)) {
        const pdu = inspectEvent(rules, readJson(Buffer.from(text)));
        if ("invalid" in pdu) throw new Error(pdu.invalid);
        expect(pdu.eventId).to.equal(eventId);
        expect(pdu.roomId).to.equal(roomId);
        expect(pdu.isRedactedCopy).to.equal(false);
        const signature = findSignature(
          asJson(pdu.pdu)["signatures"],
          settings.serverName,
          serverKey.keyId,
        );
        expect(isSignedText(pdu.signedText, signature!, publicKey)).to.equal(
          true,
        );
        const event = toRoomEvent(rules, pdu.pdu, eventId);
        const cited = event.authEventIds.map((id) => known.get(id)!);
        expect(checkAuthEvents(rules, event, cited)).to.equal("allowed");
        const before = resolveState(
          rules,
          event.prevEventIds.map((id) => after.get(id)!),
          (id) => known.get(id),
        );
        const verdict = checkAuth(rules, event, (type, key) =>
          known.get(before.get(stateKeyOf(type, key)) ?? ""),
        );
        expect(verdict).to.equal("allowed");
        known.set(eventId, event);
        after.set(eventId, applyToState(before, event));
      }
      expect(known.size).to.be.above(12);
      const { text } = await alice.get(
        `/rooms/${encodeURIComponent(roomId)}/state`,
      );
      expect(text).to.contain("The room");
    });
  }
});
