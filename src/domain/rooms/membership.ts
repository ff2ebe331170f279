import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { findMembership, type Membership } from "../../storage/memberships.ts";
import { readMemberProfile } from "../accounts/member-profile.ts";
import type { Requester } from "../accounts/requester.ts";
import { inviteDraft, strippedStateFor } from "./invitation.ts";
import { isLocalUser } from "./local-user.ts";
import type { EventDraft, Proposal } from "./proposal.ts";
import { authoriseRestrictedJoin } from "./restricted-join.ts";
import { loadRoomHead, readState, stateAt } from "./room-head.ts";
import { findRoomIdentity, type RoomIdentity } from "./room-identity.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";
import { getRoomToSpeakIn } from "./send.ts";

interface Change {
  reason?: string;
  /** Further keys of the member event's content, as a client sent them. */
  content?: JsonObject;
}

/**
 * Joins a room, or changes one's own member event in it.
 * https://spec.matrix.org/v1.19/client-server-api/#joining-rooms
 */
export async function joinRoom(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  { reason, content = {} }: Change,
): Promise<RoomIdentity> {
  const room = await findRoomIdentity(edges, roomId);
  if (!room) {
    throw new MatrixError(
      "M_NOT_FOUND",
      "This room is not known here, and no server that is in it can be reached.",
    );
  }
  const { userId } = requester;
  const standing = await findMembership(edges.db, userId, room.roomNid);
  if (requester.isGuest) await assertGuestsMayJoin(edges, room);
  const isPlainJoin = standing?.membership === "join" && Object.keys(content).length === 0;
  if (isPlainJoin && reason === undefined) return room;
  const authoriser =
    standing?.membership === "join" || standing?.membership === "invite"
      ? undefined
      : await authoriseRestrictedJoin(edges, room, userId);
  await propose(edges, room, {
    type: "m.room.member",
    sender: userId,
    stateKey: userId,
    content: {
      ...(await readMemberProfile(edges, userId)),
      ...content,
      ...reasonOf(reason),
      ...(authoriser === undefined ? {} : { join_authorised_via_users_server: authoriser }),
      membership: "join",
    },
  });
  return room;
}

export async function inviteUser(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  target: string,
  { reason, content = {} }: Change,
): Promise<void> {
  const room = await getRoomToSpeakIn(edges, roomId);
  if (!isLocalUser(edges.settings, target)) {
    throw new MatrixError("M_CONNECTION_FAILED", "The server of that user cannot be reached.");
  }
  const stripped = await strippedStateFor(edges, target);
  const draft = inviteDraft(requester.userId, target, await readMemberProfile(edges, target), {
    ...content,
    ...reasonOf(reason),
  });
  await writeToRoom(edges, room.roomNid, [
    {
      draft,
      reads: stripped.reads(requester.userId),
      extra: (event, _at, state) => stripped.rows(event, state),
    },
  ]);
}

/**
 * Asks to be let in.
 * https://spec.matrix.org/v1.19/client-server-api/#knocking-on-rooms
 */
export async function knockOnRoom(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  { reason }: Change,
): Promise<RoomIdentity> {
  const { userId } = requester;
  const room = await findRoomIdentity(edges, roomId);
  if (!room) {
    throw new MatrixError(
      "M_NOT_FOUND",
      "This room is not known here, and no server that is in it can be reached.",
    );
  }
  const stripped = await strippedStateFor(edges, userId);
  await writeToRoom(edges, room.roomNid, [
    {
      draft: {
        type: "m.room.member",
        sender: userId,
        stateKey: userId,
        content: {
          ...(await readMemberProfile(edges, userId)),
          ...reasonOf(reason),
          membership: "knock",
        },
      },
      reads: stripped.reads(userId),
      extra: (event, _at, state) => stripped.rows(event, state),
    },
  ]);
  return room;
}

/** Leaves a room, declines an invite or takes back a knock. */
export async function leaveRoom(
  edges: WriterEdges,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  { reason, content = {} }: Change,
): Promise<void> {
  const room = await findRoomIdentity(edges, roomId);
  const standing = room && (await findMembership(edges.db, userId, room.roomNid));
  if (!room || !standing || standing.membership === "ban") {
    throw new MatrixError("M_FORBIDDEN", "You are not in this room.");
  }
  if (standing.membership === "leave") return;
  await propose(edges, room, {
    type: "m.room.member",
    sender: userId,
    stateKey: userId,
    content: { ...content, ...reasonOf(reason), membership: "leave" },
  });
}

/** Kick, ban and unban: the member event of someone else, allowed only from some memberships. */
export async function moderateMember(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  target: string,
  act: { membership: "leave" | "ban"; from: readonly (Membership | "none")[]; refusal: string } & Change,
): Promise<void> {
  const room = await getRoomToSpeakIn(edges, roomId);
  const standing = await findMembership(edges.db, target, room.roomNid);
  if (!act.from.includes(standing?.membership ?? "none")) {
    throw new MatrixError("M_FORBIDDEN", act.refusal);
  }
  await propose(edges, room, {
    type: "m.room.member",
    sender: requester.userId,
    stateKey: target,
    content: { ...act.content, ...reasonOf(act.reason), membership: act.membership },
  });
}

async function propose(edges: WriterEdges, room: RoomIdentity, draft: EventDraft): Promise<void> {
  const proposal: Proposal = { draft, skipUnchanged: true };
  await writeToRoom(edges, room.roomNid, [proposal]);
}

const reasonOf = (reason: string | undefined): JsonObject => (reason === undefined ? {} : { reason });

async function assertGuestsMayJoin(edges: Pick<Edges, "db" | "keyring" | "memory">, room: RoomIdentity) {
  const head = await loadRoomHead(edges, room.roomNid);
  await readState(edges, head, [["m.room.guest_access", ""]]);
  const content = stateAt(head, "m.room.guest_access", "")?.pdu.content;
  if (content?.["guest_access"] !== "can_join") {
    throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", "Guests may not join this room.");
  }
}
