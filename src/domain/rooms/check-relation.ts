import { createHash } from "node:crypto";
import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { listEventHeadsById, listRelatedBy } from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import { openEvents } from "./event-store.ts";
import type { Proposal } from "./proposal.ts";
import { relationOf } from "./relation.ts";
import type { RoomIdentity } from "./room-identity.ts";
import type { WriterEdges } from "./room-writer.ts";

interface Message {
  type: string;
  sender: string;
  content: JsonObject;
}

/**
 * Refuses relations that a client should not make: an annotation that is there
 * already, and a thread off an event that relates to another itself. What was
 * found holds for a write that gets the claims.
 */
export async function checkRelation(
  edges: WriterEdges,
  room: RoomIdentity,
  message: Message,
): Promise<Pick<Proposal, "claims">> {
  const { relType, relatesTo } = relationOf(message);
  if (relatesTo === null) return {};
  if (relType === "m.thread") await assertThreadable(edges, room, relatesTo);
  return relType === "m.annotation"
    ? checkAnnotation(edges, room, message, relatesTo)
    : {};
}

/** https://spec.matrix.org/v1.19/client-server-api/#validation-of-mthread-relationships */
async function assertThreadable(
  { db }: WriterEdges,
  { roomNid }: RoomIdentity,
  rootId: string,
): Promise<void> {
  const [root] = await listEventHeadsById(db, roomNid, [rootId]);
  if (!root?.relType || root.redactedBy !== null) return;
  throw new MatrixError(
    "M_UNKNOWN",
    "A thread cannot begin at an event that relates to another one.",
  );
}

/** https://spec.matrix.org/v1.19/client-server-api/#avoiding-duplicate-annotations */
async function checkAnnotation(
  edges: WriterEdges,
  { roomNid }: RoomIdentity,
  { type, sender, content }: Message,
  targetId: string,
): Promise<Pick<Proposal, "claims">> {
  const heads = await listRelatedBy(edges.db, roomNid, sender, {
    relType: "m.annotation",
    relatesTo: targetId,
  });
  const rivals = await openEvents(
    edges,
    heads.filter(
      (head) => head.type === escapeText(type) && head.redactedBy === null,
    ),
  );
  const key = annotationKey(content);
  if (rivals.some(({ pdu }) => annotationKey(pdu.content) === key)) {
    throw new MatrixError(
      "M_DUPLICATE_ANNOTATION",
      "You have annotated the event like this already.",
    );
  }
  const last = heads.reduce((latest, { nid }) => Math.max(latest, nid), 0);
  const claim = createHash("sha256")
    .update(JSON.stringify(["annotation", roomNid, sender, targetId, last]))
    .digest()
    .subarray(0, 16);
  return { claims: [claim] };
}

const annotationKey = ({
  "m.relates_to": relation,
}: JsonObject): JsonObject[string] | undefined =>
  isJsonObject(relation) ? relation["key"] : undefined;
