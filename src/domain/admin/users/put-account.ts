import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import { isUserId, localpartOf, parseNewUserId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";
import { findAccount, type AccountRow } from "../../../storage/accounts.ts";
import type { WriteRows } from "../../../storage/write.ts";
import { changePassword } from "../../accounts/change-password.ts";
import { createAccount } from "../../accounts/create-account.ts";
import type { LeaverEdges } from "../../accounts/deactivate.ts";
import { assertStrongPassword } from "../../accounts/password.ts";
import { changeProfileFields } from "../../accounts/profile.ts";
import { checkFieldValue } from "../../accounts/profile-field.ts";
import {
  assertThirdPartyId,
  findOwnerOfAddress,
  thirdPartyIdRow,
  type ThirdPartyId,
} from "../../accounts/third-party-ids.ts";
import type { Administrator } from "../change-authority.ts";
import type { Permission } from "../permissions.ts";
import { assertLocal } from "./account.ts";
import { assertMayAll, commitAct, recordOf } from "./act.ts";
import { endAccount, reviveAccount } from "./end-account.ts";
import { externalIdRows, type ExternalId } from "./external-ids.ts";
import { setLocked } from "./restrain.ts";
import { setAdmin } from "./set-admin.ts";

/** What an account shall be; what is absent stays as it is. */
export interface AccountWish {
  password?: string;
  logsOut: boolean;
  displayName?: string | null;
  avatarUrl?: string | null;
  thirdPartyIds?: readonly Pick<ThirdPartyId, "medium" | "address">[];
  externalIds?: readonly ExternalId[];
  userType?: string | null;
  isAdmin?: boolean;
  isLocked?: boolean;
  isDeactivated?: boolean;
}

type Needs = LeaverEdges & Pick<Edges, "passwordHasher" | "trail">;

/**
 * Makes an account, or changes one. All that can be refused is refused before anything
 * is changed; each part that changes asks for its own permission.
 */
export async function putAccount(
  edges: Needs,
  by: Administrator,
  userId: string,
  wish: AccountWish,
): Promise<{ isNew: boolean }> {
  assertLocal(edges.settings, userId);
  await assertFit(edges, userId, wish);
  const standing = await findAccount(edges.db, userId);
  const permissions = permissionsFor(standing, wish);
  await assertMayAll(edges, by, permissions, { userId });
  edges.trail?.note({ resource: { type: "user", id: userId } });
  if (standing) await change(edges, by, standing, wish);
  else await make(edges, by, userId, wish);
  return { isNew: !standing };
}

async function assertFit(
  edges: Needs,
  userId: string,
  wish: AccountWish,
): Promise<void> {
  const { password, displayName, avatarUrl, thirdPartyIds = [] } = wish;
  if (password !== undefined) assertStrongPassword(edges.settings, password);
  if (displayName !== undefined) checkFieldValue("displayname", displayName);
  if (avatarUrl !== undefined) checkFieldValue("avatar_url", avatarUrl);
  for (const each of thirdPartyIds) {
    assertThirdPartyId(each);
    const { medium, address } = each;
    const owner = await findOwnerOfAddress(edges, medium, address);
    if (owner !== undefined && owner !== userId) {
      throw new MatrixError(
        "M_THREEPID_IN_USE",
        "This address is somebody else's.",
      );
    }
  }
}

/** What a wish takes besides the permission to change an account at all. */
function permissionsFor(
  standing: AccountRow | undefined,
  wish: AccountWish,
): Permission[] {
  const { password, isAdmin, isLocked, isDeactivated } = wish;
  const needed: [isNeeded: boolean, permission: Permission][] = [
    [!standing, "users.create"],
    [standing !== undefined && password !== undefined, "users.credentials"],
    [isChange(isLocked, standing?.isLocked), "users.lock"],
    [isChange(isDeactivated, standing?.isDeactivated), "users.deactivate"],
    [isChange(isAdmin, standing?.isAdmin), "roles.grant"],
  ];
  return needed.flatMap(([isNeeded, permission]) =>
    isNeeded ? [permission] : [],
  );
}

const isChange = (wanted: boolean | undefined, standing = false): boolean =>
  wanted !== undefined && wanted !== standing;

async function make(
  edges: Needs,
  by: Administrator,
  userId: string,
  wish: AccountWish,
): Promise<void> {
  const localpart = isUserId(userId) ? localpartOf(userId) : userId;
  parseNewUserId(localpart, edges.settings.serverName);
  const { displayName, password = null, userType } = wish;
  const { rows, details } = await keptRows(edges, userId, wish);
  await createAccount(
    edges,
    {
      localpart,
      password,
      isAdmin: false,
      ...(typeof displayName === "string" &&
        displayName !== "" && { displayName }),
      ...(typeof userType === "string" && { userType }),
      actor: by.actor.userId,
      requestId: by.actor.requestId,
      details: {
        ...{ created: true, ...details },
        ...(password !== null && { password: true }),
        ...(typeof userType === "string" && { user_type: userType }),
      },
      rows,
    },
    null,
  );
  const { avatarUrl } = wish;
  if (avatarUrl !== undefined)
    await changeKept(edges, by, userId, { avatarUrl });
  await applyState(edges, by, userId, wish);
}

async function change(
  edges: Needs,
  by: Administrator,
  standing: AccountRow,
  wish: AccountWish,
): Promise<void> {
  const { userId } = standing;
  const { password, isDeactivated, logsOut } = wish;
  if (standing.isDeactivated && isDeactivated === false) {
    if (password === undefined && !standing.isEnding) {
      throw new MatrixError(
        "M_MISSING_PARAM",
        "A password is needed to take an account back into use.",
      );
    }
    await reviveAccount(edges, by, userId, password ?? null);
  } else if (password !== undefined && !standing.isDeactivated) {
    const about = {
      target: userId,
      details: { password: true, logout_devices: logsOut },
      act: "users.credentials" as const,
    };
    await changePassword(edges, { userId, deviceId: "" }, password, logsOut, [
      recordOf(edges, by, about),
    ]);
  }
  const { displayName, avatarUrl, ...rest } = wish;
  const isUsed = !standing.isDeactivated || isDeactivated === false;
  // A profile is of an account that is in use.
  await changeKept(edges, by, userId, {
    ...pick(rest, standing),
    ...(isUsed && displayName !== undefined && { displayName }),
    ...(isUsed && avatarUrl !== undefined && { avatarUrl }),
  });
  await applyState(edges, by, userId, wish);
}

type Kept = Pick<
  AccountWish,
  "displayName" | "avatarUrl" | "thirdPartyIds" | "externalIds" | "userType"
>;

const pick = (
  { thirdPartyIds, externalIds, userType }: Kept,
  standing: AccountRow,
): Kept => ({
  ...(thirdPartyIds && { thirdPartyIds }),
  ...(externalIds && { externalIds }),
  ...(userType !== undefined && userType !== standing.userType && { userType }),
});

/** What an account holds, in one commit with the record of what is changed of it. */
async function changeKept(
  edges: Needs,
  by: Administrator,
  userId: string,
  wish: Kept,
): Promise<void> {
  const { rows, details: told } = await keptRows(edges, userId, wish);
  const { displayName, avatarUrl, userType } = wish;
  const fields = new Map<string, string | undefined>();
  if (displayName !== undefined)
    fields.set("displayname", displayName || undefined);
  if (avatarUrl !== undefined) fields.set("avatar_url", avatarUrl || undefined);
  const details: JsonObject = {
    ...told,
    ...(userType !== undefined && { user_type: userType }),
    ...Object.fromEntries([...fields.keys()].map((name) => [name, true])),
  };
  if (Object.keys(details).length === 0) return;
  if (userType !== undefined) rows.userUpdates = [{ userId, userType }];
  const about = { target: userId, details };
  if (fields.size === 0) return commitAct(edges, by, about, { rows });
  const audit = [recordOf(edges, by, about)];
  const activeUsers = [by.requester.userId];
  await changeProfileFields(edges, userId, fields, {
    also: { rows, audit, activeUsers },
  });
}

/** What has rows of its own, and what is told of it: nothing that is personal. */
async function keptRows(
  edges: Needs,
  userId: string,
  { thirdPartyIds, externalIds }: Kept,
): Promise<{ rows: Partial<WriteRows>; details: JsonObject }> {
  const rows: Partial<WriteRows> = {};
  const details: JsonObject = {};
  if (thirdPartyIds) {
    details["threepids"] = thirdPartyIds.length;
    rows.removedThirdPartyIds = [{ userId }];
    rows.thirdPartyIds = await Promise.all(
      thirdPartyIds.map(({ medium, address }) =>
        thirdPartyIdRow(edges, userId, medium, address),
      ),
    );
  }
  if (externalIds) {
    details["external_ids"] = externalIds.length;
    rows.removedExternalIds = [{ userId }];
    rows.externalIds = await externalIdRows(edges, userId, externalIds);
  }
  return { rows, details };
}

/** Roles and the lock, and the end of the account last: each commits with a record of its own. */
async function applyState(
  edges: Needs,
  by: Administrator,
  userId: string,
  { isAdmin, isLocked, isDeactivated }: AccountWish,
): Promise<void> {
  if (isAdmin !== undefined) await setAdmin(edges, by, userId, isAdmin);
  if (isLocked !== undefined) await lock(edges, by, userId, isLocked);
  if (isDeactivated === true) await endIfActive(edges, by, userId);
}

async function lock(
  edges: Needs,
  by: Administrator,
  userId: string,
  isLocked: boolean,
): Promise<void> {
  const account = await findAccount(edges.db, userId);
  if (account && account.isLocked !== isLocked)
    await setLocked(edges, by, userId, isLocked);
}

async function endIfActive(
  edges: Needs,
  by: Administrator,
  userId: string,
): Promise<void> {
  const account = await findAccount(edges.db, userId);
  if (account && !account.isDeactivated)
    await endAccount(edges, by, userId, false);
}
