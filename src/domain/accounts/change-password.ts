import type { AuditDraft } from "../../storage/audit-draft.ts";
import type { Edges } from "../../edges.ts";
import { listDeviceIds, removeDevices } from "./close-session.ts";
import { forgetFailures } from "./password-failures.ts";
import { assertStrongPassword, hashPassword } from "./password.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "notifier" | "passwordHasher" | "settings"
>;

/** Sets a new password; the other devices are logged out unless that is not wished for. */
export async function changePassword(
  edges: Needs,
  { userId, deviceId }: { userId: string; deviceId: string },
  newPassword: string,
  isLoggingOut: boolean,
  audit: readonly AuditDraft[] = [],
): Promise<void> {
  assertStrongPassword(edges.settings, newPassword);
  const passwordHash = await hashPassword(edges, newPassword);
  const listOthers = async () => {
    const devices = isLoggingOut ? await listDeviceIds(edges, userId) : [];
    return devices.filter((other) => other !== deviceId);
  };
  await removeDevices(edges, userId, await listOthers(), {
    activeUsers: [userId],
    audit,
    rows: { userUpdates: [{ userId, passwordHash }] },
  });
  await forgetFailures(edges, userId);
  // A login with the old password may have been under way; from here on none can succeed.
  const late = await listOthers();
  if (late.length > 0) await removeDevices(edges, userId, late);
}
