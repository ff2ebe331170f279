import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  findBackedUpKey,
  listBackedUpKeys,
  type BackedUpKeyRow,
} from "../../storage/backed-up-keys.ts";
import { findKeyBackup } from "../../storage/key-backups.ts";
import { backedUpKeyContext } from "./backed-up-key.ts";
import { noSuchBackup, parseVersion } from "./key-backup.ts";

type Needs = Pick<Edges, "db" | "keyring">;

/** An answer that may be large: what follows the text is read as it is sent. */
export interface KeysText {
  text: string;
  rest: AsyncIterable<string>;
}

/** Of 64 KiB each at the most. */
const KEYS_AT_ONCE = 250;

/** One key as JSON. Throws `M_NOT_FOUND`. */
export async function getBackedUpKey(
  edges: Needs,
  userId: string,
  version: string,
  roomId: string,
  sessionId: string,
): Promise<string> {
  const number = parseVersion(version);
  // The database takes no NUL, not even to say that it does not know it.
  const row = sessionId.includes("\0")
    ? undefined
    : await findBackedUpKey(edges.db, userId, number, roomId, sessionId);
  const [text] = row ? await writeKeys(edges, userId, number, [row]) : [];
  if (text !== undefined) return text;
  throw new MatrixError("M_NOT_FOUND", "There is no such key in the backup.");
}

/**
 * All keys of a backup: `{"rooms": {…}}`. Throws `M_NOT_FOUND`.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeys
 */
export async function readAllKeys(
  edges: Needs,
  userId: string,
  version: string,
): Promise<KeysText> {
  const number = await getVersion(edges, userId, version);
  return begin('{"rooms":{', writeRooms(edges, userId, number));
}

/** The keys of one room: `{"sessions": {…}}`. Throws `M_NOT_FOUND`. */
export async function readRoomKeys(
  edges: Needs,
  userId: string,
  version: string,
  roomId: string,
): Promise<KeysText> {
  const number = await getVersion(edges, userId, version);
  return begin('{"sessions":{', writeSessions(edges, userId, number, roomId));
}

async function getVersion(
  { db }: Needs,
  userId: string,
  version: string,
): Promise<number> {
  const row = await findKeyBackup(db, userId, parseVersion(version));
  if (!row) throw noSuchBackup();
  return row.version;
}

/** The first piece is read before anything is answered, so that a fault is answered as such. */
async function begin(
  head: string,
  pieces: AsyncGenerator<string>,
): Promise<KeysText> {
  const first = await pieces.next();
  return { text: first.done ? head : head + first.value, rest: pieces };
}

async function* writeRooms(
  edges: Needs,
  userId: string,
  version: number,
): AsyncGenerator<string> {
  let open: string | undefined;
  for await (const page of listPages(edges, userId, version, undefined)) {
    const texts = await writeKeys(edges, userId, version, page);
    let piece = "";
    page.forEach(({ roomId, sessionId }, i) => {
      if (texts[i] === undefined) return;
      if (roomId === open) {
        piece += ",";
      } else {
        piece += `${open === undefined ? "" : "}},"}${JSON.stringify(roomId)}:{"sessions":{`;
        open = roomId;
      }
      piece += `${JSON.stringify(sessionId)}:${texts[i]}`;
    });
    yield piece;
  }
  yield open === undefined ? "}}" : "}}}}";
}

async function* writeSessions(
  edges: Needs,
  userId: string,
  version: number,
  roomId: string,
): AsyncGenerator<string> {
  let separator = "";
  for await (const page of listPages(edges, userId, version, roomId)) {
    const texts = await writeKeys(edges, userId, version, page);
    let piece = "";
    page.forEach(({ sessionId }, i) => {
      if (texts[i] === undefined) return;
      piece += `${separator}${JSON.stringify(sessionId)}:${texts[i]}`;
      separator = ",";
    });
    yield piece;
  }
  yield "}}";
}

async function* listPages(
  { db }: Needs,
  userId: string,
  version: number,
  roomId: string | undefined,
): AsyncGenerator<readonly BackedUpKeyRow[]> {
  let after: BackedUpKeyRow | undefined;
  for (;;) {
    const range = { roomId, after, limit: KEYS_AT_ONCE };
    const page = await listBackedUpKeys(db, userId, version, range);
    if (page.length > 0) yield page;
    if (page.length < KEYS_AT_ONCE) return;
    after = page.at(-1);
  }
}

/** Keys as JSON; undefined where the key that sealed one was destroyed. */
async function writeKeys(
  { keyring }: Needs,
  userId: string,
  version: number,
  rows: readonly BackedUpKeyRow[],
): Promise<(string | undefined)[]> {
  const texts = await keyring.openAll(
    rows.map((row) => ({
      context: backedUpKeyContext(userId, version, row),
      keyId: row.keyId,
      sealed: row.sealed,
    })),
  );
  return rows.map((row, i) => {
    const { firstMessageIndex, forwardedCount, isVerified } = row;
    return texts[i] === undefined
      ? undefined
      : `{"first_message_index":${firstMessageIndex},"forwarded_count":${forwardedCount},"is_verified":${isVerified},"session_data":${texts[i]}}`;
  });
}
