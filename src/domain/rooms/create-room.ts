import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { finishEvent } from "../../core/finish-event.ts";
import type { WriteRows } from "../../storage/write.ts";
import { readMemberProfile } from "../accounts/member-profile.ts";
import type { Requester } from "../accounts/requester.ts";
import { createContent, initialDrafts, type RoomRequest } from "./creation.ts";
import { inviteDraft, strippedStateFor } from "./invitation.ts";
import type { EventDraft, Proposal } from "./proposal.ts";
import type { RoomHead } from "./room-head.ts";
import { mergeRows, writeNewRoom, type WriterEdges } from "./room-writer.ts";

type Needs = WriterEdges & Pick<Edges, "random">;

/**
 * Creates a room with all its first events, its alias and its directory entry in
 * one commit: it is there wholly or not at all.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom
 */
export async function createRoom(
  edges: Needs,
  requester: Requester,
  request: RoomRequest,
  options: { isPublished: boolean; audit?: readonly string[] },
): Promise<{ roomId: string; roomNid: number }> {
  const creator = requester.userId;
  const now = edges.now();
  const createDraft: EventDraft = {
    type: "m.room.create",
    sender: creator,
    stateKey: "",
    content: createContent(request, creator),
    originServerTs: now,
  };
  const roomId = newRoomId(edges, request, createDraft);
  const [roomNid] = await edges.nids.take(1);
  if (roomNid === undefined) throw new TypeError("no number for the room");
  const head: RoomHead = {
    room: { roomNid, roomId, rules: request.rules },
    stateVersion: null,
    snapshot: null,
    extremities: [],
    state: new Map(),
  };
  const profile = await readMemberProfile(edges, creator);
  const proposals: Proposal[] = [createDraft, ...initialDrafts(request, creator, profile)].map((draft) => ({ draft }));
  for (const userId of request.invites) {
    proposals.push(await invitation(edges, creator, userId, request.isDirect));
  }
  const rows: Partial<WriteRows> = {
    newRooms: [
      { roomNid, roomId, roomVersion: request.rules.version, isResident: true, createdTs: now },
    ],
    roomPublications: options.isPublished ? [{ roomNid, isPublished: true }] : [],
    newAliases:
      request.alias === undefined ? [] : [{ alias: request.alias, roomNid, creator, createdTs: now }],
  };
  try {
    await writeNewRoom(edges, head, proposals, { rows, audit: options.audit ?? [] });
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === "M_FORBIDDEN") {
      throw new MatrixError("M_INVALID_ROOM_STATE", `The room cannot be made like this: ${error.message}`, {}, { cause: error });
    }
    throw error;
  }
  return { roomId, roomNid };
}

async function invitation(edges: Needs, sender: string, userId: string, isDirect: boolean): Promise<Proposal> {
  const draft = inviteDraft(sender, userId, await readMemberProfile(edges, userId), {
    ...(isDirect ? { is_direct: true } : {}),
  });
  const stripped = await strippedStateFor(edges, userId);
  return {
    draft,
    reads: stripped.reads(sender),
    extra: (event, _at, state) => mergeRows([stripped.rows(event, state)]),
  };
}

/** Random, or in room version 12 the create event's hash: the event is made twice, alike. */
function newRoomId(edges: Needs, request: RoomRequest, draft: EventDraft): string {
  const { serverName } = edges.settings;
  if (request.rules.roomIdFormat === "domain") {
    return `!${edges.random.letters(18)}:${serverName}`;
  }
  const { eventId } = finishEvent(
    request.rules,
    {
      type: draft.type,
      sender: draft.sender,
      state_key: "",
      content: draft.content,
      origin_server_ts: draft.originServerTs!,
      depth: 1,
      prev_events: [],
      auth_events: [],
    },
    { serverName, ...edges.serverKey },
  );
  return `!${eventId.slice(1)}`;
}
