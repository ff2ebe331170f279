import type { AuditDraft } from "../../storage/audit-draft.ts";
import { MatrixError } from "../../core/errors.ts";
import { listAliases } from "../../storage/aliases.ts";
import type { WriteRows } from "../../storage/write.ts";
import { readMemberProfile } from "../accounts/member-profile.ts";
import type { Requester } from "../accounts/requester.ts";
import { assertMayInvite } from "../policies/may-write.ts";
import { createContent, initialDrafts, type RoomRequest } from "./creation.ts";
import { inviteProposals } from "./invitation.ts";
import { inheritFrom, predecessorOf } from "./inheritance.ts";
import { makeAnew } from "./make-anew.ts";
import { newRoomId } from "./new-room-id.ts";
import type { EventDraft, Proposal } from "./proposal.ts";
import { roomInUse } from "./room-queue.ts";
import { newRoomHead } from "./room-head.ts";
import { type WriterEdges, writeNewRoom } from "./room-writer.ts";

export interface CreationOptions {
  isPublished: boolean;
  /** What is said in it from the start. */
  firstEvents?: readonly EventDraft[];
  /** Called before each attempt: what it throws ends them. */
  assertStill?(): Promise<void>;
  /** What commits with the room, its record, and the key that has to be unused for it. */
  also?(room: { roomNid: number; roomId: string }): {
    rows: Partial<WriteRows>;
    audit?: readonly AuditDraft[];
    claim?: Uint8Array;
  };
}

/**
 * Creates a room with all its first events, its alias and its directory entry in
 * one commit: it is there wholly or not at all.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom
 */
export async function createRoom(
  edges: WriterEdges,
  requester: Pick<Requester, "userId">,
  request: RoomRequest,
  options: CreationOptions,
): Promise<{ roomId: string; roomNid: number }> {
  const now = edges.now();
  try {
    // Rooms that are alike to the millisecond would share an id: later ones are a little later.
    return await makeAnew((attempt) =>
      createRoomAt(edges, requester, request, options, now + attempt),
    );
  } catch (error) {
    throw toCreationError(error);
  }
}

async function createRoomAt(
  edges: WriterEdges,
  requester: Pick<Requester, "userId">,
  request: RoomRequest,
  options: CreationOptions,
  now: number,
): Promise<{ roomId: string; roomNid: number }> {
  const { rules, invites, isDirect, alias } = request;
  await options.assertStill?.();
  const creator = requester.userId;
  // The commit decides; whoever comes this late is refused before keys are made.
  if (alias !== undefined && (await listAliases(edges.db, [alias])).length > 0)
    throw roomInUse();
  const createDraft: EventDraft = {
    type: "m.room.create",
    sender: creator,
    stateKey: "",
    content: createContent(request, creator),
    originServerTs: now,
  };
  if (edges.asker?.userId === creator)
    await assertMayInvite(edges, creator, invites);
  const invitations = await inviteProposals(
    edges,
    creator,
    invites.filter((userId) => userId !== creator),
    isDirect ? { is_direct: true } : {},
  );
  const roomId = newRoomId(edges, rules, createDraft);
  const [roomNid] = await edges.nids.take(1);
  if (roomNid === undefined) throw new TypeError("no number for the room");
  const profile = await readMemberProfile(edges, creator);
  const [join, ...others] = initialDrafts(request, creator, profile);
  const old = predecessorOf(createDraft.content);
  const inherited = await inheritFrom(edges, creator, old, { roomNid, roomId });
  const {
    claim,
    audit = [],
    rows: otherRows,
  } = options.also?.({ roomNid, roomId }) ?? {};
  const { firstEvents = [] } = options;
  const proposals: Proposal[] = [
    { draft: createDraft, ...(claim && { claims: [claim] }) },
    { draft: join, ...inherited },
    ...others.map((draft) => ({ draft })),
    ...invitations,
    ...firstEvents.map((draft) => ({ draft })),
  ];
  const rows: Partial<WriteRows> = {
    ...otherRows,
    newRooms: [
      {
        roomNid,
        roomId,
        roomVersion: rules.version,
        isResident: true,
        createdTs: now,
      },
    ],
    roomPublications: [
      ...(otherRows?.roomPublications ?? []),
      ...(options.isPublished ? [{ roomNid, isPublished: true }] : []),
    ],
    newAliases:
      alias === undefined ? [] : [{ alias, roomNid, creator, createdTs: now }],
  };
  const head = newRoomHead({ roomNid, roomId, rules });
  await writeNewRoom(edges, head, proposals, { rows, audit });
  return { roomId, roomNid };
}

/** What auth refuses here is no lack of rights but a request that cannot be. */
const toCreationError = (error: unknown): unknown =>
  error instanceof MatrixError && error.errcode === "M_FORBIDDEN"
    ? new MatrixError(
        "M_INVALID_ROOM_STATE",
        `The room cannot be made like this: ${error.message}`,
        {},
        { cause: error },
      )
    : error;
