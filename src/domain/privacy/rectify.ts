import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { WriteRows } from "../../storage/write.ts";
import { changeProfileFields } from "../accounts/profile.ts";
import {
  assertThirdPartyId,
  findOwnerOfAddress,
  thirdPartyIdRow,
  type ThirdPartyId,
} from "../accounts/third-party-ids.ts";
import type { Administrator } from "../admin/change-authority.ts";
import { getAccountRow } from "../admin/users/account.ts";
import { commitAct, recordOf } from "../admin/users/act.ts";
import type { WriterEdges } from "../rooms/room-writer.ts";

/** What of a person is wrong, as it is to be; what is absent stays, null goes. */
export interface Rectification {
  displayName?: string | null;
  avatarUrl?: string | null;
  thirdPartyIds?: readonly Pick<ThirdPartyId, "medium" | "address">[];
}

/** Corrects what a person's profile says, and by which addresses they are known, in one commit. */
export async function rectifyPerson(
  edges: WriterEdges & Pick<Edges, "trail">,
  by: Administrator,
  userId: string,
  { displayName, avatarUrl, thirdPartyIds }: Rectification,
): Promise<void> {
  const account = await getAccountRow(edges, userId);
  if (account.isDeactivated)
    throw new MatrixError("M_NOT_FOUND", "That account has ended.");
  for (const each of thirdPartyIds ?? []) await assertFree(edges, userId, each);
  // What is wrong and what is right is personal: the record names the fields.
  const details = {
    ...(displayName !== undefined && { displayname: true }),
    ...(avatarUrl !== undefined && { avatar_url: true }),
    ...(thirdPartyIds && { threepids: thirdPartyIds.length }),
  };
  const about = { target: userId, details };
  const rows = thirdPartyIds ? await rowsOf(edges, userId, thirdPartyIds) : {};
  const fields = new Map<string, string | undefined>();
  if (displayName !== undefined)
    fields.set("displayname", displayName ?? undefined);
  if (avatarUrl !== undefined) fields.set("avatar_url", avatarUrl ?? undefined);
  if (fields.size === 0) return commitAct(edges, by, about, { rows });
  await changeProfileFields(edges, userId, fields, {
    also: {
      ...{ rows, activeUsers: [by.requester.userId] },
      audit: [recordOf(edges, by, about)],
    },
  });
}

async function rowsOf(
  edges: WriterEdges,
  userId: string,
  thirdPartyIds: NonNullable<Rectification["thirdPartyIds"]>,
): Promise<Partial<WriteRows>> {
  return {
    removedThirdPartyIds: [{ userId }],
    thirdPartyIds: await Promise.all(
      thirdPartyIds.map(({ medium, address }) =>
        thirdPartyIdRow(edges, userId, medium, address),
      ),
    ),
  };
}

async function assertFree(
  edges: WriterEdges,
  userId: string,
  wanted: Pick<ThirdPartyId, "medium" | "address">,
): Promise<void> {
  assertThirdPartyId(wanted);
  const { medium, address } = wanted;
  const owner = await findOwnerOfAddress(edges, medium, address);
  if (owner === undefined || owner === userId) return;
  throw new MatrixError(
    "M_THREEPID_IN_USE",
    "That address is somebody else's.",
  );
}
