import type { Edges } from "../../edges.ts";
import type { JsonObject } from "../../core/json.ts";
import { listProfilesOf } from "../../storage/profiles.ts";
import { profileContext } from "../accounts/member-profile.ts";

/** The parts of users' profiles that stand in member events, with one query for all. */
export async function readMemberProfiles(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userIds: readonly string[],
): Promise<(userId: string) => JsonObject> {
  const rows = await listProfilesOf(db, userIds, ["displayname", "avatar_url"]);
  const values = await keyring.openAll(
    rows.map(({ userId, name, keyId, sealed }) => ({
      context: profileContext(userId, name),
      keyId,
      sealed,
    })),
  );
  const profiles = new Map<string, JsonObject>();
  rows.forEach(({ userId, name }, i) => {
    const text = values[i];
    if (text === undefined) return;
    const profile = profiles.get(userId) ?? {};
    profile[name] = JSON.parse(text) as JsonObject[string];
    profiles.set(userId, profile);
  });
  return (userId) => profiles.get(userId) ?? {};
}
