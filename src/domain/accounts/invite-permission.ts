import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { blocksAllInvites, judgeInvite } from "../../core/invite-rules.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import { findAccountDataText } from "./account-data.ts";
import { mapAccountDataTexts } from "./account-data-texts.ts";

type Needs = Pick<Edges, "db" | "keyring">;

const BLOCKING = "m.invite_permission_config";
const FILTERING = "org.matrix.msc4155.invite_permission_config";

/**
 * Refuses where one of the users wants no invites, of anybody or of the sender, as the
 * database has it now.
 * https://spec.matrix.org/v1.19/client-server-api/#invite-permission
 */
export async function assertInvitable(
  edges: Needs,
  sender: string,
  userIds: readonly string[],
): Promise<void> {
  const blocking = await mapAccountDataTexts(edges, userIds, BLOCKING);
  for (const text of blocking.values()) {
    if (blocksAllInvites(contentOf(text))) throw blocked("M_INVITE_BLOCKED");
  }
  const filtering = await mapAccountDataTexts(edges, userIds, FILTERING);
  for (const text of filtering.values()) {
    if (judgeInvite(contentOf(text), sender) === "block")
      throw blocked("ORG.MATRIX.MSC4155.M_INVITE_BLOCKED");
  }
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

/** The same for many users, with one query. */
export async function mapIgnoredInviters(
  edges: Needs,
  userIds: Iterable<string>,
): Promise<(userId: string, sender: string) => boolean> {
  const ids = [...new Set(userIds)];
  const texts = await mapAccountDataTexts(edges, ids, FILTERING);
  const contents = new Map(
    [...texts].map(([userId, text]) => [userId, contentOf(text)]),
  );
  return (userId, sender) => {
    const content = contents.get(userId);
    return content !== undefined && judgeInvite(content, sender) === "ignore";
  };
}

function contentOf(text: string): JsonObject {
  const content = JSON.parse(text) as JsonValue;
  return isJsonObject(content) ? content : {};
}

const blocked = (
  errcode: "M_INVITE_BLOCKED" | "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED",
): MatrixError =>
  new MatrixError(errcode, "This user does not accept your invites.");
