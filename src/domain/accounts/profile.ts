import type { Edges } from "../../edges.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  emptyJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import { listProfileFields } from "../../storage/profiles.ts";
import { listActiveUsers } from "../../storage/users.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import type { WriterEdges } from "../rooms/room-writer.ts";
import { profileContext } from "./member-profile.ts";
import { assertFieldName, checkFieldValue } from "./profile-field.ts";
import { updateMemberEvents } from "./update-member-events.ts";

type Reads = Pick<Edges, "db" | "keyring" | "settings">;

const MAX_PROFILE_BYTES = 64 * 1024;
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
): Promise<void> {
  assertFieldName(name);
  if (checkFieldValue(name, value) === "removes")
    return removeProfileField(edges, userId, name);
  const fields = await readFields(edges, userId);
  fields[name] = value;
  if (Buffer.byteLength(canonicalJson(fields)) > MAX_PROFILE_BYTES) {
    throw new MatrixError(
      "M_PROFILE_TOO_LARGE",
      "A whole profile has at most 64 KiB.",
    );
  }
  const context = profileContext(userId, name);
  const text = JSON.stringify(value);
  const sealed = await edges.keyring.sealForUser(userId, context, text);
  await commit(edges, userId, name, {
    profileFields: [{ at: 0, userId, name, ...sealed }],
  });
}

export async function removeProfileField(
  edges: WriterEdges,
  userId: string,
  name: string,
): Promise<void> {
  assertFieldName(name);
  await commit(edges, userId, name, {
    removedProfileFields: [{ userId, name }],
  });
}

async function commit(
  edges: WriterEdges,
  userId: string,
  name: string,
  rows: NonNullable<Parameters<Edges["committer"]["commit"]>[0]["rows"]>,
): Promise<void> {
  const write = { positions: 1, activeUsers: [userId], rows };
  const wake = { users: [userId] };
  const outcome = await edges.committer.commit({ ...write, wake });
  if (outcome.status !== "committed") {
    throw new MatrixError(
      "M_USER_DEACTIVATED",
      "This account has been deactivated.",
    );
  }
  if (IN_MEMBER_EVENTS.includes(name)) await updateMemberEvents(edges, userId);
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
