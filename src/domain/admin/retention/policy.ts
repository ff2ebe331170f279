import { MatrixError } from "../../../core/errors.ts";
import { isRoomId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";

export const ROOM_CLASSES = [
  ...(["direct", "encrypted", "public", "private"] as const),
];
export type RoomClass = (typeof ROOM_CLASSES)[number];

export const MEDIA_CLASSES = [
  ...(["attachment", "avatar", "emoji"] as const),
  // Of other servers' media nothing is kept.
  ...(["thumbnail", "url_preview"] as const),
];

/** What else has an age: the addresses and programs that devices came with. */
export const DATA_CLASSES = ["addresses"] as const;

export const SCOPE_KINDS = [
  ...(["server", "space", "room", "class", "media", "data"] as const),
];

export interface RetentionScope {
  kind: (typeof SCOPE_KINDS)[number];
  /** A room, a space or a class; "" for the server. */
  id: string;
}

/** How long what is within a scope is kept. */
export interface RetentionPolicy {
  scope: RetentionScope;
  /** A room may not be shorter than that; null for anything. */
  minMs: number | null;
  /** Null for ever, unless a room asks for less. */
  maxMs: number | null;
  /** Whether a redaction is sent for what goes, so that clients drop it too. */
  redacts: boolean;
  /** Whether receipts go with their messages. */
  dropsReceipts: boolean;
  /** Of media: from when their age counts. */
  basis: "age" | "access";
}

export interface PolicyDocument {
  scope: { kind: RetentionScope["kind"]; id?: string };
  min_lifetime?: number | null;
  max_lifetime?: number | null;
  redact?: boolean;
  receipts?: boolean;
  basis?: "age" | "access";
  description?: string;
}

/** What this program wrote itself. */
export function readPolicy(text: string): RetentionPolicy {
  const document = JSON.parse(text) as PolicyDocument;
  return {
    scope: { kind: document.scope.kind, id: document.scope.id ?? "" },
    minMs: document.min_lifetime ?? null,
    maxMs: document.max_lifetime ?? null,
    redacts: document.redact ?? false,
    dropsReceipts: document.receipts ?? false,
    basis: document.basis ?? "age",
  };
}

export const isOfRooms = ({ scope }: RetentionPolicy): boolean =>
  scope.kind !== "media" && scope.kind !== "data";

const CLASSES: Partial<Record<RetentionScope["kind"], readonly string[]>> = {
  class: ROOM_CLASSES,
  media: MEDIA_CLASSES,
  data: DATA_CLASSES,
};

/** The document as it is kept. @throws MatrixError M_INVALID_PARAM */
export function checkPolicy(document: PolicyDocument): JsonObject {
  const { kind, id = "" } = document.scope;
  const classes = CLASSES[kind];
  if (kind === "server" && id !== "")
    throw invalid("A policy of the server names nothing else.");
  if ((kind === "room" || kind === "space") && !isRoomId(id))
    throw invalid(`"scope.id" must be the ID of a ${kind}.`);
  if (classes && !classes.includes(id))
    throw invalid(`"scope.id" must be one of: ${classes.join(", ")}.`);
  const { min_lifetime: min = null, max_lifetime: max = null } = document;
  if (min !== null && max !== null && min > max)
    throw invalid("min_lifetime is longer than max_lifetime.");
  if (classes && kind !== "class" && max === null)
    throw invalid("A policy of this scope needs a max_lifetime.");
  const { redact, receipts, basis, description } = document;
  return {
    scope: { kind, ...(id !== "" && { id }) },
    ...(min !== null && { min_lifetime: min }),
    ...(max !== null && { max_lifetime: max }),
    ...(redact !== undefined && { redact }),
    ...(receipts !== undefined && { receipts }),
    ...(basis !== undefined && { basis }),
    ...(description !== undefined && { description }),
  };
}

const invalid = (message: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", message);
