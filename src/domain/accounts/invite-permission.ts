import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { blocksAllInvites, judgeInvite } from "../../core/invite-rules.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import { findAccountDataText } from "./account-data.ts";
import { listAccountDataTexts } from "./account-data-texts.ts";

type Needs = Pick<Edges, "db" | "keyring">;

const BLOCKING = "m.invite_permission_config";
export const FILTERING = "org.matrix.msc4155.invite_permission_config";

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
  for (const text of await listAccountDataTexts(edges, userIds, BLOCKING)) {
    if (blocksAllInvites(contentOf(text))) throw blocked("M_INVITE_BLOCKED");
  }
  for (const text of await listAccountDataTexts(edges, userIds, FILTERING)) {
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

function contentOf(text: string): JsonObject {
  const content = JSON.parse(text) as JsonValue;
  return isJsonObject(content) ? content : {};
}

const blocked = (
  errcode: "M_INVITE_BLOCKED" | "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED",
): MatrixError =>
  new MatrixError(errcode, "This user does not accept your invites.");
