import { isUserId, type UserId } from "../../core/ids.ts";
import {
  addGroupMember,
  assertGroup,
  assertMember,
  assertNoGroup,
  createGroup,
  deleteGroup,
  removeGroupMember,
  searchGroups,
  searchMembers,
  validateMember,
} from "../../domain/admin/groups.ts";
import { endpoint } from "../endpoint.ts";
import {
  COUNT,
  EMPTY,
  named,
  object,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import { idParam } from "../params.ts";
import { NAME, nameParam } from "./names.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";

const GROUPS = "/_myelin/admin/v1/groups";

const GROUP_FACTS = named(
  "Group",
  object({
    group_id: NAME,
    description: TEXT,
    members: COUNT,
    created_by: TEXT,
    created_ts: TIME,
  }),
);
const MEMBER_FACTS = named(
  "GroupMember",
  object({ user_id: USER_ID, added_by: TEXT, added_ts: TIME }),
);

export const getGroups = endpoint<{ query: PageQuery }>({
  method: "get",
  path: GROUPS,
  auth: "admin",
  permission: "groups.read",
  rateLimit: "admin",
  query: listQuery(["group_id"]),
  doc: {
    id: "listGroups",
    says: "Lists groups of users.",
    answers: listAnswer("groups", GROUP_FACTS),
  },
  async handle(edges, { query }) {
    const { groups, total } = await searchGroups(edges, pageOf(query));
    return {
      groups: groups.map((row) => ({
        group_id: row.groupId,
        description: row.description,
        members: row.members,
        created_by: row.createdBy,
        created_ts: row.createdTs,
      })),
      ...pageAnswer(query, groups.length, total),
    };
  },
});

export const postGroup = endpoint<{
  body: { group_id: string; description: string };
}>({
  method: "post",
  path: GROUPS,
  auth: "admin",
  permission: "groups.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      group_id: NAME,
      description: { type: "string", maxLength: 512 },
    },
    required: ["group_id", "description"],
  },
  doc: {
    id: "createGroup",
    says: "Makes a group, which roles may be given for.",
    answers: object({ group_id: NAME }),
  },
  validate: (edges, { body }) => assertNoGroup(edges, body.group_id),
  async handle(edges, { body, ...by }) {
    const { group_id: groupId, description } = body;
    await createGroup(edges, by, groupId, description);
    return { group_id: groupId };
  },
});

type OneGroup = { params: { groupId: string } };
const GROUP = `${GROUPS}/:groupId`;
const groupParams = { groupId: nameParam };

export const deleteOneGroup = endpoint<OneGroup>({
  method: "delete",
  path: GROUP,
  params: groupParams,
  auth: "admin",
  permission: "groups.write",
  rateLimit: "admin",
  doc: {
    id: "deleteGroup",
    says: "Takes a group away, and every role that was given for it.",
    answers: EMPTY,
  },
  validate: (edges, { params }) => assertGroup(edges, params.groupId),
  async handle(edges, { params, ...by }) {
    await deleteGroup(edges, by, params.groupId);
    return {};
  },
});

export const getGroupMembers = endpoint<OneGroup & { query: PageQuery }>({
  method: "get",
  path: `${GROUP}/members`,
  params: groupParams,
  auth: "admin",
  permission: "groups.read",
  rateLimit: "admin",
  query: listQuery(["user_id"]),
  doc: {
    id: "listGroupMembers",
    says: "Lists who is in a group.",
    answers: listAnswer("members", MEMBER_FACTS),
  },
  async handle(edges, { params, query }) {
    const page = pageOf(query);
    const { members, total } = await searchMembers(edges, params.groupId, page);
    return {
      members: members.map((row) => ({
        user_id: row.userId,
        added_by: row.addedBy,
        added_ts: row.addedTs,
      })),
      ...pageAnswer(query, members.length, total),
    };
  },
});

type OneMember = { params: { groupId: string; userId: UserId } };
const MEMBER = `${GROUP}/members/:userId`;
const memberParams = {
  ...groupParams,
  userId: idParam(isUserId, "a user ID"),
};

export const putGroupMember = endpoint<OneMember>({
  method: "put",
  path: MEMBER,
  params: memberParams,
  auth: "admin",
  permission: "groups.write",
  rateLimit: "admin",
  doc: {
    id: "addGroupMember",
    says: "Puts a user into a group.",
    answers: EMPTY,
  },
  validate: (edges, { params }) =>
    validateMember(edges, params.groupId, params.userId),
  async handle(edges, { params, ...by }) {
    await addGroupMember(edges, by, params.groupId, params.userId);
    return {};
  },
});

export const deleteGroupMember = endpoint<OneMember>({
  method: "delete",
  path: MEMBER,
  params: memberParams,
  auth: "admin",
  permission: "groups.write",
  rateLimit: "admin",
  doc: {
    id: "removeGroupMember",
    says: "Takes a user out of a group.",
    answers: EMPTY,
  },
  validate: (edges, { params }) =>
    assertMember(edges, params.groupId, params.userId),
  async handle(edges, { params, ...by }) {
    await removeGroupMember(edges, by, params.groupId, params.userId);
    return {};
  },
});
