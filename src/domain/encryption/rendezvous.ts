import { hash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  deleteRendezvous,
  findRendezvous,
  insertRendezvous,
  updateRendezvous,
  type RendezvousRow,
} from "../../storage/rendezvous.ts";

/** Two forms of the same: with headers and bytes, and with JSON. */
export type RendezvousForm = "msc4108" | "msc4388";

/** What two devices have left for each other. It is theirs to encrypt. */
export type Rendezvous = RendezvousRow;

type Needs = Pick<Edges, "db" | "now" | "random" | "settings">;

const LIFETIME_MS = 5 * 60 * 1000;
/** Of 16 KiB each at the most. */
const MOST_SESSIONS = 10_000;

const hashOf = (form: RendezvousForm, id: string): Buffer =>
  hash("sha256", `rendezvous ${form} ${id}`, "buffer");

/** Throws `M_UNRECOGNIZED` where no devices may meet here. */
export function assertRendezvousEnabled({
  settings,
}: Pick<Edges, "settings">): void {
  if (settings.rendezvousEnabled) return;
  throw new MatrixError(
    "M_UNRECOGNIZED",
    "Devices cannot meet here to sign in.",
  );
}

/** Whoever knows the id may read, write and end the session. */
export async function openRendezvous(
  edges: Needs,
  form: RendezvousForm,
  payload: Uint8Array,
): Promise<Rendezvous & { id: string }> {
  assertRendezvousEnabled(edges);
  const { db, now, random } = edges;
  const id = random.token();
  const modifiedTs = now();
  const row = {
    revision: random.token(16),
    payload,
    modifiedTs,
    expiresTs: modifiedTs + LIFETIME_MS,
  };
  const isOpen = await insertRendezvous(
    db,
    hashOf(form, id),
    row,
    MOST_SESSIONS,
  );
  if (isOpen) return { id, ...row };
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many devices meet here already.",
    { retry_after_ms: 30_000 },
  );
}

/** Throws `M_NOT_FOUND` for a session that never was, or is over. */
export async function getRendezvous(
  edges: Needs,
  form: RendezvousForm,
  id: string,
): Promise<Rendezvous> {
  assertRendezvousEnabled(edges);
  const row = await findRendezvous(edges.db, hashOf(form, id), edges.now());
  if (!row) throw notFound();
  return row;
}

/**
 * Leaves another payload, if the one of this revision is still the last.
 * @returns what stands now, and whether it is this one
 */
export async function writeRendezvous(
  edges: Needs,
  form: RendezvousForm,
  id: string,
  known: string,
  payload: Uint8Array,
): Promise<Rendezvous & { isWritten: boolean }> {
  assertRendezvousEnabled(edges);
  const { db, now, random } = edges;
  const next = { revision: random.token(16), payload, modifiedTs: now() };
  // The database takes no NUL, not even to say that it does not know it.
  const row = known.includes("\0")
    ? undefined
    : await updateRendezvous(db, hashOf(form, id), known, next);
  if (row) return { ...row, isWritten: true };
  return { ...(await getRendezvous(edges, form, id)), isWritten: false };
}

/** Throws `M_NOT_FOUND`. */
export async function endRendezvous(
  edges: Needs,
  form: RendezvousForm,
  id: string,
): Promise<void> {
  assertRendezvousEnabled(edges);
  if (!(await deleteRendezvous(edges.db, hashOf(form, id), edges.now())))
    throw notFound();
}

const notFound = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "There is no such meeting, or it is over.");
