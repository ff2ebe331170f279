import type { Pdu } from "../../core/event.ts";

interface Relation {
  relType: string | null;
  relatesTo: string | null;
  /** The root of the thread that the event stands in. */
  thread: string | null;
}

const NONE: Relation = { relType: null, relatesTo: null, thread: null };

/** What `m.relates_to` of an event says, ignoring what is malformed. */
export function relationOf({
  content,
  state_key,
}: Pick<Pdu, "content" | "state_key">): Relation {
  const relation = content["m.relates_to"];
  if (
    typeof relation !== "object" ||
    relation === null ||
    Array.isArray(relation)
  )
    return NONE;
  const { rel_type: relType, event_id: relatesTo } = relation;
  if (typeof relType !== "string" || typeof relatesTo !== "string") return NONE;
  if (Buffer.byteLength(relatesTo) > 255 || Buffer.byteLength(relType) > 255)
    return NONE;
  if (relType.includes("\0") || relatesTo.includes("\0")) return NONE;
  const thread =
    relType === "m.thread" && state_key === undefined ? relatesTo : null;
  return { relType, relatesTo, thread };
}
