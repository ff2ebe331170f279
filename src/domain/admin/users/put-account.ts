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
import { removeProfileField, setProfileField } from "../../accounts/profile.ts";
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
  edges.trail?.note({
    resource: { type: "user", id: userId },
    after: toldOf(wish, !standing),
  });
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

/** What was asked for, without what is personal: several writes do it, and the first one has the record. */
const toldOf = (wish: AccountWish, isNew: boolean): JsonObject => {
  const { isAdmin, isDeactivated, isLocked, userType } = wish;
  const { externalIds, thirdPartyIds } = wish;
  const told = {
    ...(isNew && { created: true }),
    ...(isAdmin !== undefined && { admin: isAdmin }),
    ...(isLocked !== undefined && { locked: isLocked }),
    ...(isDeactivated !== undefined && { deactivated: isDeactivated }),
    ...(userType !== undefined && { user_type: userType }),
    ...(thirdPartyIds && { threepids: thirdPartyIds.length }),
    ...(externalIds && { external_ids: externalIds.length }),
  };
  const { avatarUrl, displayName, logsOut, password } = wish;
  return {
    ...told,
    ...(password !== undefined && { password: true, logout_devices: logsOut }),
    ...(displayName !== undefined && { displayname: true }),
    ...(avatarUrl !== undefined && { avatar_url: true }),
  };
};

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
  const { displayName, userType } = wish;
  await createAccount(
    edges,
    {
      localpart,
      password: wish.password ?? null,
      isAdmin: false,
      ...(typeof displayName === "string" &&
        displayName !== "" && { displayName }),
      ...(typeof userType === "string" && { userType }),
      actor: by.actor.userId,
      requestId: by.actor.requestId,
    },
    null,
  );
  await applyRest(edges, by, userId, wish);
  await setAvatar(edges, userId, wish);
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
    if (password === undefined) {
      throw new MatrixError(
        "M_MISSING_PARAM",
        "A password is needed to take an account back into use.",
      );
    }
    await reviveAccount(edges, by, userId, password);
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
  const { userType } = wish;
  const isOfType = userType !== undefined && userType !== standing.userType;
  await applyRest(edges, by, userId, wish, isOfType ? { userType } : {});
  if (standing.isDeactivated && isDeactivated !== false) return;
  const { displayName } = wish;
  if (displayName !== undefined)
    await setField(edges, userId, "displayname", displayName);
  await setAvatar(edges, userId, wish);
}

/** What has rows of its own, then roles, and the end of the account last. */
async function applyRest(
  edges: Needs,
  by: Administrator,
  userId: string,
  { thirdPartyIds, externalIds, ...wish }: AccountWish,
  update: Pick<WriteRows["userUpdates"][number], "userType"> = {},
): Promise<void> {
  const details: JsonObject = { ...update } as JsonObject;
  const rows: Partial<WriteRows> = {};
  if ("userType" in update) rows.userUpdates = [{ userId, ...update }];
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
  if (Object.keys(details).length > 0)
    await commitAct(edges, by, { target: userId, details }, { rows });
  const { isAdmin, isLocked, isDeactivated } = wish;
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

const setAvatar = async (
  edges: Needs,
  userId: string,
  { avatarUrl }: AccountWish,
): Promise<void> => {
  if (avatarUrl !== undefined)
    await setField(edges, userId, "avatar_url", avatarUrl);
};

const setField = (
  edges: Needs,
  userId: string,
  name: string,
  value: string | null,
): Promise<void> =>
  value === null || value === ""
    ? removeProfileField(edges, userId, name)
    : setProfileField(edges, userId, name, value);
