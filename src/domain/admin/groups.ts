import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  hasGroup,
  isGroupMember,
  listGroupMembers,
  listGroups,
  type GroupMemberRow,
  type GroupRow,
  type Page,
} from "../../storage/user-groups.ts";
import { findUser } from "../../storage/users.ts";
import {
  changeAuthority,
  noAccount,
  type Administrator,
  type AuthorityEdges,
} from "./change-authority.ts";

/** A page of the groups, and how many there are in all. */
export const searchGroups = (
  { db }: Pick<Edges, "db">,
  page: Page,
): Promise<{ groups: GroupRow[]; total: number }> => listGroups(db, page);

/** A page of a group's members. */
export async function searchMembers(
  edges: Pick<Edges, "db">,
  groupId: string,
  page: Page,
): Promise<{ members: GroupMemberRow[]; total: number }> {
  await assertGroup(edges, groupId);
  return listGroupMembers(edges.db, groupId, page);
}

/** Makes a group: users for whom somebody may be given a role. */
export function createGroup(
  edges: AuthorityEdges,
  by: Administrator,
  groupId: string,
  description: string,
): Promise<void> {
  return changeAuthority(edges, by, async () => {
    await assertNoGroup(edges, groupId);
    const createdBy = by.requester.userId;
    const createdTs = edges.now();
    return {
      rows: { groups: [{ groupId, description, createdBy, createdTs }] },
      act: {
        act: "groups.write" as const,
        target: groupId,
        details: { group: groupId },
      },
      answer: undefined,
    };
  });
}

/** Takes a group away, and every binding that it is the scope of. */
export function deleteGroup(
  edges: AuthorityEdges,
  by: Administrator,
  groupId: string,
): Promise<void> {
  return changeAuthority(edges, by, async () => {
    await assertGroup(edges, groupId);
    return {
      rows: { removedGroups: [{ groupId }] },
      act: {
        act: "groups.write" as const,
        target: groupId,
        before: { group: groupId },
      },
      answer: undefined,
    };
  });
}

export function addGroupMember(
  edges: AuthorityEdges,
  by: Administrator,
  groupId: string,
  userId: string,
): Promise<void> {
  return changeAuthority(edges, by, async () => {
    await assertGroup(edges, groupId);
    const addedBy = by.requester.userId;
    const row = { groupId, userId, addedBy, addedTs: edges.now() };
    return {
      rows: { groupMembers: [row] },
      users: [userId],
      act: {
        act: "groups.write" as const,
        target: userId,
        details: { group: groupId },
      },
      answer: undefined,
    };
  });
}

export function removeGroupMember(
  edges: AuthorityEdges,
  by: Administrator,
  groupId: string,
  userId: string,
): Promise<void> {
  return changeAuthority(edges, by, async () => {
    await assertMember(edges, groupId, userId);
    return {
      rows: { removedGroupMembers: [{ groupId, userId }] },
      act: {
        act: "groups.write" as const,
        target: userId,
        before: { group: groupId },
      },
      answer: undefined,
    };
  });
}

/** @throws MatrixError M_INVALID_PARAM */
export async function assertNoGroup(
  { db }: Pick<Edges, "db">,
  groupId: string,
): Promise<void> {
  if (await hasGroup(db, groupId))
    throw new MatrixError("M_INVALID_PARAM", "There is a group of this name.");
}

/** @throws MatrixError M_NOT_FOUND */
export async function assertMember(
  { db }: Pick<Edges, "db">,
  groupId: string,
  userId: string,
): Promise<void> {
  if (!(await isGroupMember(db, groupId, userId)))
    throw new MatrixError("M_NOT_FOUND", "There is no such member.");
}

/** @throws MatrixError what keeps a user from being put into a group as things are */
export async function validateMember(
  edges: Pick<Edges, "db">,
  groupId: string,
  userId: string,
): Promise<void> {
  await assertGroup(edges, groupId);
  const user = await findUser(edges.db, userId);
  if (!user || user.isDeactivated) throw noAccount();
}

/** @throws MatrixError M_NOT_FOUND */
export async function assertGroup(
  { db }: Pick<Edges, "db">,
  groupId: string,
): Promise<void> {
  if (!(await hasGroup(db, groupId)))
    throw new MatrixError("M_NOT_FOUND", "There is no such group.");
}
