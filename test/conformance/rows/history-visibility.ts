import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { row } from "../harness/registry.ts";
import { getEvent, roomWithHistory } from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

const CONTENT = { msgtype: "m.text", body: "Hello world" };

type Step = "join" | "invite" | "send";

/** What happens, in order, before Bob asks for Alice's message, and what he then gets. */
function fetches(
  test: string,
  visibility: string,
  steps: Step[],
  isVisible: boolean,
) {
  row("csapi", test, "", async (server) => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await roomWithHistory(alice, visibility);
    let eventId = "";
    for (const step of steps)
      if (step === "join") await bob.join(roomId);
      else if (step === "invite") await alice.invite(roomId, bob.userId);
      else eventId = await alice.send(roomId, "m.room.message", CONTENT);
    const answer = await getEvent(bob, roomId, eventId);
    if (isVisible) expectMessage(answer.body, alice, roomId, eventId);
    else expectError(answer, 404, "M_NOT_FOUND");
  });
}

function expectMessage(
  event: Record<string, unknown>,
  sender: User,
  roomId: string,
  eventId: string,
) {
  expect(event["content"]).to.deep.equal(CONTENT);
  expect(event).to.include({
    type: "m.room.message",
    room_id: roomId,
    sender: sender.userId,
    event_id: eventId,
  });
  expect(event["origin_server_ts"]).to.be.a("number");
}

fetches("TestFetchEvent", "shared", ["join", "send"], true);
fetches(
  "TestFetchHistoricalJoinedEventDenied",
  "joined",
  ["send", "join"],
  false,
);
fetches("TestFetchHistoricalSharedEvent", "shared", ["send", "join"], true);
fetches(
  "TestFetchHistoricalInvitedEventFromBetweenInvite",
  "invited",
  ["invite", "send", "join"],
  true,
);
fetches(
  "TestFetchHistoricalInvitedEventFromBeforeInvite",
  "invited",
  ["send", "invite", "join"],
  false,
);
fetches("TestFetchEventNonWorldReadable", "shared", ["send"], false);
fetches("TestFetchEventWorldReadable", "world_readable", ["send"], true);
