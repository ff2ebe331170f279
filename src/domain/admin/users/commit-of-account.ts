import type { Edges } from "../../../edges.ts";
import { listTokens } from "../../../storage/sessions.ts";
import type { Administrator } from "../change-authority.ts";
import { commitAct, type About } from "./act.ts";

/** Commits an act, and has every process look again at what it knows of the user's sessions. */
export async function commitOfAccount(
  edges: Pick<Edges, "committer" | "db" | "notifier" | "now">,
  by: Administrator,
  about: About,
  write: Parameters<typeof commitAct>[3],
): Promise<void> {
  const { target: userId } = about;
  await commitAct(edges, by, about, { ...write, wake: { users: [userId] } });
  const tokens = await listTokens(edges.db, userId);
  await edges.notifier.revoke(tokens.map(({ tokenId }) => tokenId));
}
