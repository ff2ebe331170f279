import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isUserId } from "../../core/ids.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { findMembership, type Membership } from "../../storage/memberships.ts";
import { readMemberProfile } from "../accounts/member-profile.ts";
import { areUnlimited, assertAllowed } from "../policies/enforce.ts";
import { checkFieldValue } from "../accounts/profile-field.ts";
import type { Requester } from "../accounts/requester.ts";
import { notJoined, notLetIn } from "./append-event.ts";
import { inheritFromReplaced } from "./inheritance.ts";
import { inviteProposals, knockExtra } from "./invitation.ts";
import { getJoinedRoom, getRoomToSpeakIn } from "./joined-room.ts";
import { makeAnew } from "./make-anew.ts";
import type { EventDraft, Proposal } from "./proposal.ts";
import { assertDeclinable } from "./server-notices.ts";
import { authoriseRestrictedJoin } from "./restricted-join.ts";
import { loadRoomHead, readState, stateAt } from "./room-head.ts";
import { findRoomIdentity, type RoomIdentity } from "./room-identity.ts";
import { withinRoomLimit } from "./room-limits.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";

/** A room and the member event that now stands in it. */
export interface MembershipChange extends RoomIdentity {
  eventId: string;
}

/** The client's content of a member event; what the server says itself goes over it. */
type Content = JsonObject;

/**
 * Joins a room, or changes one's own member event in it.
 * https://spec.matrix.org/v1.19/client-server-api/#joining-rooms
 */
export function joinRoom(
  edges: WriterEdges,
  requester: Pick<Requester, "userId" | "isGuest">,
  roomId: string,
  content: Content = {},
): Promise<MembershipChange> {
  return makeAnew(() => joinNow(edges, requester, roomId, content));
}

async function joinNow(
  edges: WriterEdges,
  { userId, isGuest }: Pick<Requester, "userId" | "isGuest">,
  roomId: string,
  content: Content,
): Promise<MembershipChange> {
  assertShown(content);
  const room = await getKnownRoom(edges, roomId);
  const standing = await findMembership(edges.db, userId, room.roomNid);
  const { membership } = standing ?? {};
  if (membership !== "join" && !areUnlimited(edges))
    await assertAllowed(edges, userId, "join", room);
  if (isGuest) await assertGuestsMayJoin(edges, room);
  const authoriser =
    membership === "join" || membership === "invite"
      ? undefined
      : await authoriseRestrictedJoin(edges, room, userId);
  const draft: EventDraft = {
    type: "m.room.member",
    sender: userId,
    stateKey: userId,
    content: {
      ...(await readMemberProfile(edges, userId)),
      ...without(content, "join_authorised_via_users_server"),
      ...(authoriser === undefined
        ? {}
        : { join_authorised_via_users_server: authoriser }),
      membership: "join",
    },
  };
  if (membership === "join") return propose(edges, room, { draft });
  const inherited = await inheritFromReplaced(edges, userId, room);
  return withinRoomLimit(edges, "roomJoin", room.roomNid, { userId }, () =>
    propose(edges, room, { draft, ...inherited }),
  );
}

export async function inviteUser(
  edges: WriterEdges,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  target: string,
  content: Content = {},
): Promise<MembershipChange> {
  assertUserId(target);
  assertShown(content);
  const room = await getJoinedRoom(edges, userId, roomId);
  const [result] = await makeAnew(async () => {
    const proposals = await inviteProposals(edges, userId, [target], content);
    const { roomNid } = room;
    return withinRoomLimit(edges, "roomInvite", roomNid, { userId }, () =>
      writeToRoom(edges, roomNid, proposals),
    );
  });
  return { ...room, eventId: result!.eventId };
}

/**
 * Asks to be let in.
 * https://spec.matrix.org/v1.19/client-server-api/#knocking-on-rooms
 */
export async function knockOnRoom(
  edges: WriterEdges,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  content: Content = {},
): Promise<MembershipChange> {
  assertShown(content);
  const room = await getKnownRoom(edges, roomId);
  if (!areUnlimited(edges)) await assertAllowed(edges, userId, "join", room);
  const draft = {
    type: "m.room.member",
    sender: userId,
    stateKey: userId,
    content: {
      ...(await readMemberProfile(edges, userId)),
      ...content,
      membership: "knock",
    },
  };
  const extra = await knockExtra(edges, userId);
  const proposals = [{ draft, ...extra }];
  const { roomNid } = room;
  const [result] = await withinRoomLimit(
    ...([edges, "roomKnock", roomNid, { userId }] as const),
    () => writeToRoom(edges, roomNid, proposals),
  );
  return { ...room, eventId: result!.eventId };
}

/**
 * Leaves a room, declines an invite or takes back a knock.
 * @param isEnding whether the account ends, to which nothing can be told any more
 */
export async function leaveRoom(
  edges: WriterEdges,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  content: Content = {},
  isEnding = false,
): Promise<MembershipChange> {
  const room = await getRoomToSpeakIn(edges, roomId);
  const standing = await findMembership(edges.db, userId, room.roomNid);
  if (!standing) throw notJoined();
  if (!isEnding) assertDeclinable(edges.settings, standing);
  const draft: EventDraft = {
    type: "m.room.member",
    sender: userId,
    stateKey: userId,
    content: { ...content, membership: "leave" },
  };
  return propose(edges, room, { draft });
}

/** What kick, ban and unban do, and to whom. */
export interface Moderation {
  membership: "leave" | "ban";
  /** The memberships that it may be done to; "none" for a stranger. */
  from: readonly (Membership | "none")[];
  refusal: string;
}

/** The member event of someone else, allowed only from some memberships. */
export async function moderateMember(
  edges: WriterEdges,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  target: string,
  { membership, from, refusal }: Moderation,
  content: Content = {},
): Promise<MembershipChange> {
  assertUserId(target);
  const room = await getJoinedRoom(edges, userId, roomId);
  const draft: EventDraft = {
    type: "m.room.member",
    sender: userId,
    stateKey: target,
    content: { ...content, membership },
  };
  const assertFrom = (standing: JsonValue = "none"): void => {
    if (!from.some((one) => one === standing)) {
      throw new MatrixError("M_FORBIDDEN", refusal);
    }
  };
  return propose(edges, room, {
    draft,
    skipUnchanged: from.includes(membership),
    extra: (_event, _at, state) => {
      assertFrom(state("m.room.member", target)?.pdu.content["membership"]);
      return {};
    },
  });
}

async function propose(
  edges: WriterEdges,
  room: RoomIdentity,
  proposal: Proposal,
): Promise<MembershipChange> {
  const proposals = [{ skipUnchanged: true, ...proposal }];
  const [result] = await writeToRoom(edges, room.roomNid, proposals);
  return { ...room, eventId: result!.eventId };
}

async function getKnownRoom(
  edges: Pick<Edges, "db" | "memory">,
  roomId: string,
): Promise<RoomIdentity> {
  const room = await findRoomIdentity(edges, roomId);
  if (room) return room;
  throw notLetIn();
}

function assertUserId(target: string): void {
  if (!isUserId(target)) {
    throw new MatrixError("M_INVALID_PARAM", "The target is not a user id.");
  }
}

/** How a member shows in one room is bound like how they show in all of them. */
function assertShown(content: Content): void {
  for (const name of ["displayname", "avatar_url"]) {
    const value = content[name];
    if (value !== undefined) checkFieldValue(name, value);
  }
}

const without = (content: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(content).filter(([name]) => name !== key));

async function assertGuestsMayJoin(edges: WriterEdges, room: RoomIdentity) {
  const head = await loadRoomHead(edges, room.roomNid);
  await readState(edges, head, [["m.room.guest_access", ""]]);
  const content = stateAt(head, "m.room.guest_access", "")?.pdu.content;
  if (content?.["guest_access"] !== "can_join") {
    throw new MatrixError(
      "M_GUEST_ACCESS_FORBIDDEN",
      "Guests may not join this room.",
    );
  }
}
