import type { Edges } from "../../edges.ts";
import { findAccountDataText } from "./account-data.ts";

/** Whom a user ignores: their invites and messages are not shown. */
export async function listIgnoredUsers(
  edges: Pick<Edges, "db" | "keyring">,
  userId: string,
): Promise<ReadonlySet<string>> {
  const text = await findAccountDataText(
    edges,
    userId,
    0,
    "m.ignored_user_list",
  );
  if (text === undefined) return new Set();
  const content = JSON.parse(text) as { ignored_users?: unknown };
  const ignored = content.ignored_users;
  return new Set(
    typeof ignored === "object" && ignored !== null ? Object.keys(ignored) : [],
  );
}
