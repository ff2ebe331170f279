import type { Edges } from "../../../edges.ts";
import { changePassword } from "../../accounts/change-password.ts";
import { assertStrongPassword } from "../../accounts/password.ts";
import type { Administrator } from "../change-authority.ts";
import { getAccountRow } from "./account.ts";
import { recordOf } from "./act.ts";

/** Throws what keeps a password from being set as things are. */
export async function validateReset(
  edges: Pick<Edges, "db" | "settings">,
  userId: string,
  password: string,
): Promise<void> {
  await getAccountRow(edges, userId);
  assertStrongPassword(edges.settings, password);
}

/** Gives somebody a new password; their sessions end unless that is not wished for. */
export async function resetPassword(
  edges: Parameters<typeof changePassword>[0] & Pick<Edges, "now">,
  by: Administrator,
  userId: string,
  { password, logsOut }: { password: string; logsOut: boolean },
): Promise<void> {
  await validateReset(edges, userId, password);
  const details = { password: true, logout_devices: logsOut };
  const record = recordOf(edges, by, { target: userId, details });
  // One's own session goes on.
  const { requester } = by;
  const deviceId = requester.userId === userId ? requester.deviceId : "";
  await changePassword(edges, { userId, deviceId }, password, logsOut, [
    record,
  ]);
}
