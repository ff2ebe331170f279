import type { Edges } from "../../edges.ts";
import { judgeInvite } from "../../core/invite-rules.ts";
import type { JsonObject } from "../../core/json.ts";
import { listAccountDataOfType } from "../../storage/account-data.ts";
import { accountDataContext } from "./account-data.ts";
import { FILTERING } from "./invite-permission.ts";

/** Of whose invites many users are not told, with one query (MSC4155). */
export async function mapIgnoredInviters(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userIds: Iterable<string>,
): Promise<(userId: string, sender: string) => boolean> {
  const rows = await listAccountDataOfType(
    db,
    [...new Set(userIds)],
    FILTERING,
  );
  const texts = await keyring.openAll(
    rows.map((row) => ({
      ...row,
      context: accountDataContext(row.userId, 0, FILTERING),
    })),
  );
  const contents = new Map(
    rows.flatMap(({ userId }, i) => {
      const text = texts[i];
      if (text === undefined) return [];
      return [[userId, JSON.parse(text) as JsonObject] as const];
    }),
  );
  return (userId, sender) => {
    const content = contents.get(userId);
    return content !== undefined && judgeInvite(content, sender) === "ignore";
  };
}
