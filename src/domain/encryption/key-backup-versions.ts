import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  deleteKeyBackup,
  findKeyBackup,
  findLastBackupVersion,
  insertKeyBackup,
  updateKeyBackup,
  type KeyBackupRow,
} from "../../storage/key-backups.ts";
import { userLimitExceeded } from "../accounts/user-limit.ts";
import { assertItemSize, noSuchBackup, parseVersion } from "./key-backup.ts";

/** What a client says of a backup. */
export interface BackupInfo {
  algorithm: string;
  auth_data: JsonObject;
}

/** A backup as its owner sees it. */
export interface BackupView extends BackupInfo {
  version: string;
  etag: string;
  count: number;
}

type Needs = Pick<Edges, "db" | "keyring">;

const MOST_BACKUPS = 100;
const MAX_TRIES = 50;
const ALGORITHM = /^[\x21-\x7e]{1,255}$/;

const contextOf = (userId: string, version: number): string =>
  `key_backups.sealed ${userId} ${version}`;

/**
 * Begins a backup, which is the newest from then on. Answers its version.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3room_keysversion
 */
export async function createBackup(
  { db, keyring, settings }: Needs & Pick<Edges, "settings">,
  userId: string,
  { algorithm, auth_data }: BackupInfo,
): Promise<string> {
  if (!ALGORITHM.test(algorithm)) {
    throw new MatrixError("M_INVALID_PARAM", "That is no algorithm's name.");
  }
  const text = JSON.stringify(auth_data);
  assertItemSize(text);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const version = (await findLastBackupVersion(db, userId)) + 1;
    const context = contextOf(userId, version);
    const sealed = await keyring.sealForUser(userId, context, text);
    const row = { userId, version, algorithm, ...sealed };
    const outcome = await insertKeyBackup(db, row, MOST_BACKUPS);
    if (outcome === "inserted") return String(version);
    if (outcome === "full") {
      throw userLimitExceeded(
        settings,
        `An account has no more than ${MOST_BACKUPS} key backups. Delete some of them first.`,
      );
    }
  }
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many changes at once. Try again shortly.",
    { retry_after_ms: 500 },
  );
}

/** The backup of this version, or the newest one. Throws `M_NOT_FOUND`. */
export async function getBackup(
  edges: Needs,
  userId: string,
  version?: string,
): Promise<BackupView> {
  const row = await findKeyBackup(
    edges.db,
    userId,
    version === undefined ? undefined : parseVersion(version),
  );
  if (!row) throw noSuchBackup();
  const { algorithm, etag, keyCount } = row;
  return {
    algorithm,
    auth_data: await openAuthData(edges, userId, row),
    version: String(row.version),
    etag: String(etag),
    count: keyCount,
  };
}

/** Replaces the `auth_data`: nothing else of a backup may change. Throws `M_INVALID_PARAM`, `M_NOT_FOUND`. */
export async function updateBackup(
  { db, keyring }: Needs,
  userId: string,
  version: string,
  info: BackupInfo & { version?: string },
): Promise<void> {
  if (info.version !== undefined && info.version !== version) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "The version in the body is not the one in the path.",
    );
  }
  const number = parseVersion(version);
  const standing = await findKeyBackup(db, userId, number);
  if (!standing) throw noSuchBackup();
  if (standing.algorithm !== info.algorithm) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "The algorithm of a backup cannot be changed.",
    );
  }
  const text = JSON.stringify(info.auth_data);
  assertItemSize(text);
  const context = contextOf(userId, number);
  const sealed = await keyring.sealForUser(userId, context, text);
  if (!(await updateKeyBackup(db, userId, number, sealed)))
    throw noSuchBackup();
}

/** Deletes a backup with all its keys. Throws `M_NOT_FOUND`. */
export async function deleteBackup(
  { db }: Pick<Edges, "db">,
  userId: string,
  version: string,
): Promise<void> {
  if (!(await deleteKeyBackup(db, userId, parseVersion(version))))
    throw noSuchBackup();
}

async function openAuthData(
  { keyring }: Needs,
  userId: string,
  { version, keyId, sealed }: KeyBackupRow,
): Promise<JsonObject> {
  const context = contextOf(userId, version);
  const [text] = await keyring.openAll([{ context, keyId, sealed }]);
  // Its key was destroyed, and what it sealed with it.
  if (text === undefined) throw noSuchBackup();
  return JSON.parse(text) as JsonObject;
}
