import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { blocksAllInvites, judgeInvite } from "../../core/invite-rules.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import { listStandingAccountData } from "../../storage/account-data.ts";
import { accountDataContext, findAccountDataText } from "./account-data.ts";

type Needs = Pick<Edges, "db" | "keyring">;

const BLOCKING = "m.invite_permission_config";
export const FILTERING = "org.matrix.msc4155.invite_permission_config";

/**
 * Refuses where one of the users wants no invites, of anybody or of the sender.
 * https://spec.matrix.org/v1.19/client-server-api/#invite-permission
 * @returns for each user up to where in the stream that was seen: the commit of an
 * invite compares it
 */
export async function assertInvitable(
  { db, keyring }: Needs,
  sender: string,
  userIds: readonly string[],
): Promise<number[]> {
  const rows = await listStandingAccountData(db, userIds, [
    BLOCKING,
    FILTERING,
  ]);
  const set = rows.flatMap((row) =>
    row.sealed ? [{ ...row, sealed: row.sealed }] : [],
  );
  const texts = await keyring.openAll(
    set.map(({ userId, type, keyId, sealed }) => ({
      ...{ keyId, sealed },
      context: accountDataContext(userId, 0, type),
    })),
  );
  set.forEach(({ type }, i) => {
    const text = texts[i];
    if (text === undefined) return;
    const content = contentOf(text);
    if (type === BLOCKING && blocksAllInvites(content))
      throw blocked("M_INVITE_BLOCKED");
    if (type === FILTERING && judgeInvite(content, sender) === "block")
      throw blocked("ORG.MATRIX.MSC4155.M_INVITE_BLOCKED");
  });
  const seen = new Map<string, number>();
  for (const { userId, position } of rows)
    seen.set(userId, Math.max(position, seen.get(userId) ?? 0));
  return userIds.map((userId) => seen.get(userId) ?? 0);
}

/** Of whose invites a user is not told. */
export async function readIgnoredInviters(
  edges: Needs,
  userId: string,
): Promise<(sender: string) => boolean> {
  const text = await findAccountDataText(edges, userId, 0, FILTERING);
  if (text === undefined) return () => false;
  const content = contentOf(text);
  return (sender) => judgeInvite(content, sender) === "ignore";
}

function contentOf(text: string): JsonObject {
  const content = JSON.parse(text) as JsonValue;
  return isJsonObject(content) ? content : {};
}

const blocked = (
  errcode: "M_INVITE_BLOCKED" | "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED",
): MatrixError =>
  new MatrixError(errcode, "This user does not accept your invites.");
