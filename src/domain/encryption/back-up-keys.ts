import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isRoomId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  backUpKeys as storeKeys,
  deleteBackedUpKeys,
  type KeyScope,
} from "../../storage/backed-up-keys.ts";
import { userLimitExceeded } from "../accounts/user-limit.ts";
import { assertItemSize, noSuchBackup, parseVersion } from "./key-backup.ts";
import { backedUpKeyContext } from "./backed-up-key.ts";

/** A session's key as a client gives it. */
export interface KeyBackupData {
  first_message_index: number;
  forwarded_count: number;
  is_verified: boolean;
  session_data: JsonObject;
}

/** Keys by session, by room. */
export type KeysByRoom = Readonly<
  Record<string, { sessions: Readonly<Record<string, KeyBackupData>> }>
>;

/** What tells whether somebody else has changed a backup. */
export interface BackupState {
  etag: string;
  count: number;
}

type Needs = Pick<Edges, "db" | "keyring" | "settings">;

const QUOTA = { keys: 1_000_000, bytes: 1024 ** 3 };
const MAX_TRIES = 3;
const DELETED_AT_ONCE = 10_000;

const SESSION_ID = /^[^\0-\x1f\x7f]{1,255}$/;

/**
 * Puts keys into the newest backup, in one statement however many there are.
 * Throws `M_WRONG_ROOM_KEYS_VERSION` where it is another one than the client thinks.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys
 */
export async function backUpKeys(
  { db, keyring, settings }: Needs,
  userId: string,
  version: string,
  rooms: KeysByRoom,
): Promise<BackupState> {
  const keys = listKeys(rooms);
  const number = parseVersion(version);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const name = { scope: "user", owner: userId, span: "" } as const;
    const [key] = await keyring.prepare([name]);
    const { keyId } = key!;
    const sealed = keys.map(({ text, ...named }) => {
      const context = backedUpKeyContext(userId, number, named);
      return { ...named, sealed: keyring.seal(text, context, key!).sealed };
    });
    const backup = { userId, version: number, keyId };
    const outcome = await storeKeys(db, backup, sealed, QUOTA);
    switch (outcome.status) {
      case "stored":
        return { etag: String(outcome.etag), count: outcome.count };
      case "wrong-version":
        if (outcome.current === null) throw noSuchBackup();
        throw new MatrixError(
          "M_WRONG_ROOM_KEYS_VERSION",
          "There is a newer key backup.",
          { current_version: String(outcome.current) },
        );
      case "full":
        throw userLimitExceeded(
          settings,
          "This account keeps as many keys in its backups as it may.",
        );
      case "key":
        keyring.forget([keyId]);
    }
  }
  throw new MatrixError("M_UNKNOWN", "The keys could not be stored.");
}

function listKeys(rooms: KeysByRoom) {
  return Object.entries(rooms).flatMap(([roomId, { sessions }]) => {
    if (!isRoomId(roomId)) {
      throw new MatrixError("M_INVALID_PARAM", "Keys belong to a room id.");
    }
    return Object.entries(sessions).map(([sessionId, data]) => {
      if (!SESSION_ID.test(sessionId)) {
        throw new MatrixError(
          "M_INVALID_PARAM",
          "A session id has 1 to 255 characters, none of them a control character.",
        );
      }
      const text = JSON.stringify(data.session_data);
      assertItemSize(text);
      return {
        roomId,
        sessionId,
        firstMessageIndex: data.first_message_index,
        forwardedCount: data.forwarded_count,
        isVerified: data.is_verified,
        text,
      };
    });
  });
}

/**
 * Deletes keys of a backup: of a session, of a room, or all. Throws `M_NOT_FOUND`.
 * https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeys
 */
export async function deleteKeys(
  { db }: Pick<Edges, "db">,
  userId: string,
  version: string,
  scope: KeyScope,
): Promise<BackupState> {
  const number = parseVersion(version);
  for (;;) {
    const outcome = await deleteBackedUpKeys(
      db,
      userId,
      number,
      scope,
      DELETED_AT_ONCE,
    );
    if (!outcome) throw noSuchBackup();
    const { etag, count, deleted } = outcome;
    if (deleted < DELETED_AT_ONCE) return { etag: String(etag), count };
  }
}
