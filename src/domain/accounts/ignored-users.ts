import type { Edges } from "../../edges.ts";
import { listAccountDataOfType } from "../../storage/account-data.ts";
import { accountDataContext, findAccountDataText } from "./account-data.ts";

const IGNORED = "m.ignored_user_list";
/** One for all who ignore nobody: it is remembered of each of them. */
const NOBODY: ReadonlySet<string> = new Set();

/** Whom a user ignores: their invites and messages are not shown. */
export async function listIgnoredUsers(
  edges: Pick<Edges, "db" | "keyring">,
  userId: string,
): Promise<ReadonlySet<string>> {
  const text = await findAccountDataText(edges, userId, 0, IGNORED);
  return text === undefined ? NOBODY : parseIgnored(text);
}

/** The same for many users; those who ignore nobody are left out. */
export async function mapIgnoredUsers(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userIds: readonly string[],
): Promise<Map<string, ReadonlySet<string>>> {
  const rows = await listAccountDataOfType(db, userIds, IGNORED);
  const texts = await keyring.openAll(
    rows.map((row) => ({
      ...row,
      context: accountDataContext(row.userId, 0, IGNORED),
    })),
  );
  const ignored = new Map<string, ReadonlySet<string>>();
  rows.forEach(({ userId }, i) => {
    const text = texts[i];
    const users = text === undefined ? undefined : parseIgnored(text);
    if (users && users.size > 0) ignored.set(userId, users);
  });
  return ignored;
}

function parseIgnored(text: string): ReadonlySet<string> {
  const content = JSON.parse(text) as { ignored_users?: unknown };
  const ignored = content.ignored_users;
  return new Set(
    typeof ignored === "object" && ignored !== null ? Object.keys(ignored) : [],
  );
}
