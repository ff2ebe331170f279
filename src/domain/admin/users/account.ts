import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import { isUserId } from "../../../core/ids.ts";
import { findAccount, type AccountRow } from "../../../storage/accounts.ts";
import { readMemberProfile } from "../../accounts/member-profile.ts";
import {
  listOwnThirdPartyIds,
  type ThirdPartyId,
} from "../../accounts/third-party-ids.ts";
import { isLocalUser } from "../../rooms/local-user.ts";
import { readExternalIds, type ExternalId } from "./external-ids.ts";

type Reads = Pick<Edges, "db" | "keyring" | "settings">;

/** All that administrators see of an account at once. */
export interface Account extends AccountRow {
  displayName: string | null;
  avatarUrl: string | null;
  thirdPartyIds: ThirdPartyId[];
  externalIds: ExternalId[];
}

export async function readAccount(
  edges: Reads,
  userId: string,
): Promise<Account> {
  const row = await getAccountRow(edges, userId);
  const [profile, thirdPartyIds, externalIds] = await Promise.all([
    readMemberProfile(edges, userId),
    listOwnThirdPartyIds(edges, userId),
    readExternalIds(edges, userId),
  ]);
  return {
    ...row,
    displayName: textIn(profile["displayname"]),
    avatarUrl: textIn(profile["avatar_url"]),
    thirdPartyIds,
    externalIds,
  };
}

export const textIn = (value: unknown): string | null =>
  typeof value === "string" ? value : null;

/** @throws MatrixError M_UNKNOWN for a user of another server, M_NOT_FOUND */
export async function getAccountRow(
  { db, settings }: Pick<Edges, "db" | "settings">,
  userId: string,
): Promise<AccountRow> {
  assertLocal(settings, userId);
  const row = await findAccount(db, userId);
  if (row) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no such user here.");
}

export function assertLocal(
  settings: Pick<Edges["settings"], "serverName">,
  userId: string,
): void {
  if (isUserId(userId) && isLocalUser(settings, userId)) return;
  throw new MatrixError("M_UNKNOWN", "That user is not one of this server.");
}
