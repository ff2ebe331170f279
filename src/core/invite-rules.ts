import { matchesGlob } from "./glob.ts";
import { serverNameOf } from "./ids.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** What becomes of an invite: an ignored one is made, and not shown. */
export type InviteVerdict = "allow" | "ignore" | "block";

/** "`default_action`: […] `block`": invites of everybody are refused. */
export const blocksAllInvites = (content: JsonObject): boolean =>
  content["default_action"] === "block";

/** In the order in which they are asked (MSC4155); the first that matches decides. */
const LISTS: readonly (readonly [
  name: string,
  of: "user" | "server",
  verdict: InviteVerdict,
])[] = [
  ["allowed_users", "user", "allow"],
  ["ignored_users", "user", "ignore"],
  ["blocked_users", "user", "block"],
  ["allowed_servers", "server", "allow"],
  ["ignored_servers", "server", "ignore"],
  ["blocked_servers", "server", "block"],
];

/** What a user's filter makes of invites by somebody. Lists that are none match nobody. */
export function judgeInvite(
  content: JsonObject,
  sender: string,
): InviteVerdict {
  if (content["enabled"] === false) return "allow";
  const server = serverNameOf(sender) ?? "";
  const found = LISTS.find(([name, of]) =>
    matchesAny(content[name], of === "user" ? sender : server),
  );
  return found ? found[2] : "allow";
}

const matchesAny = (globs: JsonValue | undefined, text: string): boolean =>
  Array.isArray(globs) &&
  globs.some((glob) => typeof glob === "string" && matchesGlob(glob, text));
