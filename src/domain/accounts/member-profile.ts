import type { Edges } from "../../edges.ts";
import type { JsonObject } from "../../core/json.ts";
import { listProfileFields } from "../../storage/profiles.ts";

/** The part of a user's profile that stands in member events. */
export async function readMemberProfile(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userId: string,
): Promise<JsonObject> {
  const rows = await listProfileFields(db, userId, [
    "displayname",
    "avatar_url",
  ]);
  const values = await keyring.openAll(
    rows.map(({ name, keyId, sealed }) => ({
      context: profileContext(userId, name),
      keyId,
      sealed,
    })),
  );
  const profile: JsonObject = {};
  rows.forEach(({ name }, i) => {
    const value = values[i];
    if (value !== undefined)
      profile[name] = JSON.parse(value) as JsonObject[string];
  });
  return profile;
}

/** What a sealed profile field is bound to. */
export const profileContext = (userId: string, name: string): string =>
  `profile_fields.sealed ${userId} ${name}`;
