import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import { listCrossSigningKeys } from "../../../storage/cross-signing.ts";
import type { Administrator } from "../change-authority.ts";
import { getAccountRow } from "./account.ts";
import { commitAct, type ActEdges } from "./act.ts";

const WINDOW_MS = 10 * 60 * 1000;

/** Throws where a user has no cross-signing keys that could be replaced. */
export async function assertKeys(
  edges: Pick<Edges, "db" | "settings">,
  userId: string,
): Promise<void> {
  await getAccountRow(edges, userId);
  const keys = await listCrossSigningKeys(edges.db, [userId]);
  if (!keys.some(({ usage }) => usage === "master"))
    throw new MatrixError("M_NOT_FOUND", "This user has no master key.");
}

/** Lets somebody replace their cross-signing keys once without their password, for ten minutes. */
export async function openKeys(
  edges: ActEdges & Pick<Edges, "db" | "settings">,
  by: Administrator,
  userId: string,
): Promise<number> {
  await assertKeys(edges, userId);
  const keysOpenUntilTs = edges.now() + WINDOW_MS;
  const details = { keys_open_until_ts: keysOpenUntilTs };
  await commitAct(
    edges,
    by,
    { target: userId, details },
    { rows: { userUpdates: [{ userId, keysOpenUntilTs }] } },
  );
  return keysOpenUntilTs;
}
