import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  emptyJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import { parseMxc } from "../../core/mxc.ts";
import {
  findProfilePosition,
  listProfileFields,
  REMOVED,
} from "../../storage/profiles.ts";
import { listActiveUsers } from "../../storage/users.ts";
import type { RecordedWrite, Sealed, WriteRows } from "../../storage/write.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import type { WriterEdges } from "../rooms/room-writer.ts";
import { profileContext } from "./member-profile.ts";
import { tellProfile } from "./presence.ts";
import { assertFieldName, checkFieldValue } from "./profile-field.ts";
import { updateMemberEvents } from "./update-member-events.ts";

type Reads = Pick<Edges, "db" | "keyring" | "settings">;

const MAX_PROFILE_BYTES = 64 * 1024;
const MAX_TRIES = 50;
/** What of a profile stands in member events. */
const IN_MEMBER_EVENTS = ["displayname", "avatar_url"];

/** A user's whole profile. Throws `M_NOT_FOUND`, also for users of other servers. */
export async function getProfile(
  edges: Reads,
  userId: string,
): Promise<JsonObject> {
  await assertKnown(edges, userId);
  return readFields(edges, userId);
}

/** An object of the one field. Throws `M_NOT_FOUND`. */
export async function getProfileField(
  edges: Reads,
  userId: string,
  name: string,
): Promise<JsonObject> {
  await assertKnown(edges, userId);
  const fields = await readFields(edges, userId, [name]);
  if (Object.hasOwn(fields, name)) return fields;
  throw new MatrixError("M_NOT_FOUND", "The profile has no such field.");
}

/**
 * Sets a field of the user's own profile; names and avatars reach the rooms.
 * https://spec.matrix.org/v1.19/client-server-api/#profiles
 */
export async function setProfileField(
  edges: WriterEdges,
  userId: string,
  name: string,
  value: JsonValue,
  isTold = true,
): Promise<void> {
  const wanted = new Map([[name, value]]);
  await changeProfileFields(edges, userId, wanted, { isTold });
}

export async function removeProfileField(
  edges: WriterEdges,
  userId: string,
  name: string,
  isTold = true,
): Promise<void> {
  const wanted = new Map([[name, undefined]]);
  await changeProfileFields(edges, userId, wanted, { isTold });
}

/** What goes with a change of a profile, in one commit. */
type Also = Pick<RecordedWrite, "activeUsers" | "audit" | "rows">;

/** Changes fields of a profile in one commit, with what goes along; undefined removes one. */
export async function changeProfileFields(
  edges: WriterEdges,
  userId: string,
  wanted: ReadonlyMap<string, JsonValue | undefined>,
  { also = {}, isTold = true }: { also?: Also; isTold?: boolean } = {},
): Promise<void> {
  const names = [...wanted.keys()];
  const set = new Map<string, JsonValue>();
  for (const [name, value] of wanted) {
    assertFieldName(name);
    if (value !== undefined && checkFieldValue(name, value) === "sets")
      set.set(name, value);
  }
  const removed = names.filter((name) => !set.has(name));
  await changeProfile(edges, userId, also, async () => {
    const fields = [...set].map(([name, value]) =>
      fieldRow(edges, userId, name, value),
    );
    if (set.size > 0) await assertFits(edges, userId, set);
    const mark = { at: 0, userId, name: REMOVED, ...NOT_SEALED };
    return {
      profileFields: [
        ...(await Promise.all(fields)),
        ...(removed.length > 0 ? [mark] : []),
      ],
      ...(removed.length > 0 && {
        removedProfileFields: removed.map((name) => ({ userId, name })),
      }),
    };
  });
  if (isTold) await tellOthers(edges, userId, names);
}

async function assertFits(
  edges: Reads,
  userId: string,
  set: ReadonlyMap<string, JsonValue>,
): Promise<void> {
  const fields = await readFields(edges, userId);
  for (const [name, value] of set) fields[name] = value;
  if (Buffer.byteLength(canonicalJson(fields)) <= MAX_PROFILE_BYTES) return;
  throw new MatrixError(
    "M_PROFILE_TOO_LARGE",
    "A whole profile has at most 64 KiB.",
  );
}

async function fieldRow(
  edges: Reads,
  userId: string,
  name: string,
  value: JsonValue,
): Promise<WriteRows["profileFields"][number]> {
  const context = profileContext(userId, name);
  const text = JSON.stringify(value);
  const sealed = await edges.keyring.sealForUser(userId, context, text);
  const mxc = parseMxc(value);
  const isOurs = mxc?.serverName === edges.settings.serverName;
  const mediaId = isOurs ? mxc.mediaId : undefined;
  return { at: 0, userId, name, mediaId, ...sealed };
}

const NOT_SEALED: Sealed = { keyId: 0, sealed: new Uint8Array() };

/**
 * Commits a change that is made on the profile as it stands. Of changes at once
 * each claims the position that it was made on, and who comes second begins anew.
 */
async function changeProfile(
  edges: WriterEdges,
  userId: string,
  { activeUsers = [], audit = [], rows: otherRows = {} }: Also,
  makeRows: () => Promise<Partial<WriteRows>>,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    // Before the fields are read: what changes in between makes the claim fail.
    const position = await findProfilePosition(edges.db, userId);
    const rows = await makeRows();
    const outcome = await edges.committer.commit({
      positions: 1,
      activeUsers: [userId, ...activeUsers],
      idempotency: [{ key: claimOf(userId, position), answer: "" }],
      rows: { ...otherRows, ...rows },
      audit,
      wake: { users: [userId] },
    });
    if (outcome.status === "committed") return;
    if (outcome.status === "conflict" && outcome.over === "inactive-user") {
      throw new MatrixError(
        "M_USER_DEACTIVATED",
        "This account has been deactivated.",
      );
    }
    edges.keyring.forget(rows.profileFields?.map(({ keyId }) => keyId) ?? []);
  }
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many changes at once. Try again shortly.",
    { retry_after_ms: 500 },
  );
}

const claimOf = (userId: string, position: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["profile after", userId, position]))
    .digest()
    .subarray(0, 16);

/** Names and avatars are told to who shares a room with the user. */
async function tellOthers(
  edges: WriterEdges,
  userId: string,
  names: readonly string[],
): Promise<void> {
  if (!names.some((name) => IN_MEMBER_EVENTS.includes(name))) return;
  await updateMemberEvents(edges, userId);
  await tellProfile(edges, userId);
}

async function assertKnown(
  { db, settings }: Reads,
  userId: string,
): Promise<void> {
  const isKnown =
    isLocalUser(settings, userId) &&
    (await listActiveUsers(db, [userId])).length > 0;
  if (!isKnown) throw new MatrixError("M_NOT_FOUND", "There is no such user.");
}

async function readFields(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userId: string,
  names?: readonly string[],
): Promise<JsonObject> {
  const rows = await listProfileFields(db, userId, names);
  const texts = await keyring.openAll(
    rows.map(({ name, keyId, sealed }) => ({
      context: profileContext(userId, name),
      keyId,
      sealed,
    })),
  );
  const fields = emptyJsonObject();
  rows.forEach(({ name }, i) => {
    const text = texts[i];
    if (text !== undefined) fields[name] = JSON.parse(text) as JsonValue;
  });
  return fields;
}
