import type { UserId } from "../../../core/ids.ts";
import {
  getAccountRow,
  readAccount,
  type Account,
} from "../../../domain/admin/users/account.ts";
import {
  searchAccounts,
  type ListedAccount,
} from "../../../domain/admin/users/list-accounts.ts";
import {
  putAccount,
  type AccountWish,
} from "../../../domain/admin/users/put-account.ts";
import { endpoint } from "../../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  named,
  object,
  orNull,
  TEXT,
  TIME,
  USER_ID,
} from "../../json-schema.ts";
import { reply } from "../../reply.ts";
import {
  FLAG,
  flagOf,
  nextOf,
  NATIVE,
  pageOf,
  pageProperties,
  textOf,
  userId,
  V1,
  V2,
  V3,
  type Flag,
  type PageQuery,
} from "./common.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf as listPageOf,
  type PageQuery as ListQuery,
} from "../paging.ts";

const ORDERS = [
  ...(["name", "is_guest", "admin", "user_type", "deactivated"] as const),
  ...(["shadow_banned", "displayname", "avatar_url"] as const),
  ...(["creation_ts", "last_seen_ts", "locked", "suspended"] as const),
];

interface Search extends PageQuery {
  user_id?: string;
  name?: string;
  guests?: Flag;
  deactivated?: Flag;
  locked?: Flag;
  admins?: Flag;
  not_user_type?: string[];
  order_by?: (typeof ORDERS)[number] | "";
}

const searchSchema = {
  type: "object",
  properties: {
    ...pageProperties,
    user_id: { type: "string" },
    name: { type: "string" },
    guests: FLAG,
    deactivated: FLAG,
    locked: FLAG,
    admins: FLAG,
    not_user_type: { type: "array", items: { type: "string" }, maxItems: 20 },
    order_by: { type: "string", enum: ["", ...ORDERS] },
  },
};

/** Both lists but for what they mean by `deactivated`. */
const wantedOf = (query: Search, isDeactivated: boolean | null) => ({
  ...pageOf(query),
  name: textOf(query.name)?.toLowerCase() ?? null,
  // As documented: a name is looked for in its place.
  userId: textOf(query.name)
    ? null
    : (textOf(query.user_id)?.toLowerCase() ?? null),
  includesGuests: flagOf(query.guests) ?? true,
  includesLocked: flagOf(query.locked) ?? false,
  isDeactivated,
  isAdmin: flagOf(query.admins),
  notUserTypes: query.not_user_type ?? [],
  orderBy: query.order_by || ("name" as const),
});

const listed = (row: ListedAccount) => ({
  name: row.userId,
  is_guest: row.isGuest,
  admin: row.isAdmin,
  user_type: row.userType,
  deactivated: row.isDeactivated,
  erased: row.isErased,
  shadow_banned: row.isShadowBanned,
  locked: row.isLocked,
  suspended: row.isSuspended,
  displayname: row.displayName,
  avatar_url: row.avatarUrl,
  creation_ts: row.createdTs,
  last_seen_ts: row.lastSeenTs,
  approved: true,
});

const usersAnswer = (
  query: Search,
  { accounts, total }: { accounts: ListedAccount[]; total: number },
) => {
  const next = nextOf(query, accounts.length, total);
  return {
    users: accounts.map(listed),
    total,
    ...(next !== undefined && { next_token: String(next) }),
  };
};

export const getUsersV2 = endpoint<{ query: Search }>({
  method: "get",
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  path: `${V2}/users`,
  query: searchSchema,
  async handle(edges, { query }) {
    const isAll = flagOf(query.deactivated) === true;
    const wanted = wantedOf(query, isAll ? null : false);
    return usersAnswer(query, await searchAccounts(edges, wanted));
  },
});

export const getUsersV3 = endpoint<{ query: Search }>({
  method: "get",
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  path: `${V3}/users`,
  query: searchSchema,
  async handle(edges, { query }) {
    const wanted = wantedOf(query, flagOf(query.deactivated));
    return usersAnswer(query, await searchAccounts(edges, wanted));
  },
});

const userFacts = {
  name: USER_ID,
  is_guest: BOOLEAN,
  admin: BOOLEAN,
  user_type: orNull(TEXT),
  deactivated: BOOLEAN,
  erased: BOOLEAN,
  shadow_banned: BOOLEAN,
  locked: BOOLEAN,
  suspended: BOOLEAN,
  displayname: orNull(TEXT),
  avatar_url: orNull(TEXT),
  creation_ts: TIME,
  last_seen_ts: orNull(TIME),
  approved: BOOLEAN,
};

interface ListSearch extends ListQuery<(typeof ORDERS)[number]> {
  user_id?: string;
  name?: string;
  guests?: boolean;
  deactivated?: boolean;
  locked?: boolean;
  admins?: boolean;
  not_user_type?: string[];
}

const FLAG_ITSELF = { type: "boolean" };
const PART = { type: "string", minLength: 1, maxLength: 255 };

/** The same as a list like all others. */
export const listUsers = endpoint<{ query: ListSearch }>({
  method: "get",
  path: `${NATIVE}/users`,
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  query: listQuery(ORDERS, {
    user_id: PART,
    name: PART,
    guests: FLAG_ITSELF,
    deactivated: FLAG_ITSELF,
    locked: FLAG_ITSELF,
    admins: FLAG_ITSELF,
    not_user_type: { type: "array", items: { type: "string" }, maxItems: 20 },
  }),
  doc: {
    id: "listUsers",
    says: "Lists the accounts of this server.",
    answers: listAnswer("users", named("User", object(userFacts))),
  },
  async handle(edges, { query }) {
    const { accounts, total } = await searchAccounts(edges, {
      ...listPageOf(query),
      name: query.name?.toLowerCase() ?? null,
      userId: query.user_id?.toLowerCase() ?? null,
      includesGuests: query.guests ?? true,
      includesLocked: query.locked ?? false,
      isDeactivated: query.deactivated ?? null,
      isAdmin: query.admins ?? null,
      notUserTypes: query.not_user_type ?? [],
      orderBy: query.order_by ?? "name",
    });
    return {
      users: accounts.map(listed),
      ...pageAnswer(query, accounts.length, total),
    };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#query-user-account */
const shown = (account: Account) => ({
  ...listed(account),
  // In seconds here, and in milliseconds in lists: so tools read it.
  creation_ts: Math.floor(account.createdTs / 1000),
  threepids: account.thirdPartyIds.map(({ medium, address, addedTs }) => ({
    ...{ medium, address, added_at: addedTs, validated_at: addedTs },
  })),
  external_ids: account.externalIds.map(({ provider, subject }) => ({
    auth_provider: provider,
    external_id: subject,
  })),
  appservice_id: null,
  consent_server_notice_sent: null,
  consent_version: null,
  consent_ts: null,
  expiration_ts: account.expiresTs,
});

const USER_DETAILS = named(
  "UserDetails",
  object({
    ...userFacts,
    creation_ts: { type: "integer", description: "In seconds since 1970." },
    threepids: arrayOf(
      object({
        medium: TEXT,
        address: TEXT,
        added_at: TIME,
        validated_at: TIME,
      }),
    ),
    external_ids: arrayOf(object({ auth_provider: TEXT, external_id: TEXT })),
    appservice_id: orNull(TEXT),
    consent_server_notice_sent: orNull(TEXT),
    consent_version: orNull(TEXT),
    consent_ts: orNull(TIME),
    expiration_ts: orNull(TIME),
  }),
);

type OneUser = { params: { userId: UserId } };
const USER = `${V2}/users/:userId`;

export const getUser = endpoint<OneUser>({
  method: "get",
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  path: USER,
  also: [`${NATIVE}/users/:userId`],
  params: { userId },
  doc: { id: "getUser", says: "Reads an account.", answers: USER_DETAILS },
  async handle(edges, { params }) {
    return shown(await readAccount(edges, params.userId));
  },
});

interface UserBody {
  password?: string | null;
  logout_devices?: boolean;
  displayname?: string | null;
  avatar_url?: string | null;
  threepids?: { medium: "email" | "msisdn"; address: string }[];
  external_ids?: { auth_provider: string; external_id: string }[];
  admin?: boolean;
  deactivated?: boolean;
  locked?: boolean;
  user_type?: string | null;
}

export const putUser = endpoint<OneUser & { body: UserBody }>({
  method: "put",
  path: USER,
  also: [`${NATIVE}/users/:userId`],
  params: { userId },
  auth: "admin",
  permission: "users.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      password: { type: ["string", "null"] },
      logout_devices: { type: "boolean" },
      displayname: { type: ["string", "null"] },
      avatar_url: { type: ["string", "null"] },
      threepids: {
        type: "array",
        maxItems: 50,
        items: {
          type: "object",
          properties: {
            medium: { type: "string", enum: ["email", "msisdn"] },
            address: PART,
          },
          required: ["medium", "address"],
        },
      },
      external_ids: {
        type: "array",
        maxItems: 50,
        items: {
          type: "object",
          properties: { auth_provider: PART, external_id: PART },
          required: ["auth_provider", "external_id"],
        },
      },
      admin: { type: "boolean" },
      deactivated: { type: "boolean" },
      locked: { type: "boolean" },
      user_type: { type: ["string", "null"], maxLength: 64 },
    },
  },
  doc: {
    id: "putUser",
    says: "Makes an account, or changes one; what is changed takes its own permission.",
    answers: USER_DETAILS,
    also: [201],
  },
  async handle(edges, { params, body, ...by }) {
    const wish = wishOf(body);
    const { isNew } = await putAccount(edges, by, params.userId, wish);
    const account = await readAccount(edges, params.userId);
    return reply({ status: isNew ? 201 : 200, body: shown(account) });
  },
});

function wishOf(body: UserBody): AccountWish {
  const { password, displayname, avatar_url, threepids, external_ids } = body;
  const { admin, deactivated, locked, user_type } = body;
  return {
    logsOut: body.logout_devices ?? true,
    // Tools send what they leave as it is as null.
    ...(typeof password === "string" && { password }),
    ...(displayname !== undefined && { displayName: displayname }),
    ...(avatar_url !== undefined && { avatarUrl: avatar_url }),
    ...(threepids && { thirdPartyIds: threepids }),
    ...(external_ids && {
      externalIds: external_ids.map((each) => ({
        provider: each.auth_provider,
        subject: each.external_id,
      })),
    }),
    ...(admin !== undefined && { isAdmin: admin }),
    ...(deactivated !== undefined && { isDeactivated: deactivated }),
    ...(locked !== undefined && { isLocked: locked }),
    ...(user_type !== undefined && { userType: user_type || null }),
  };
}

/** The list of old, for who looks for one user. */
export const getSearchedUsers = endpoint<OneUser & { query: { term: string } }>(
  {
    method: "get",
    auth: "admin",
    permission: "users.read",
    rateLimit: "admin",
    path: `${V1}/search_users/:userId`,
    params: { userId },
    query: {
      type: "object",
      properties: { term: { type: "string", minLength: 1 } },
      required: ["term"],
    },
    async handle(edges, { params, query }) {
      await getAccountRow(edges, params.userId);
      const wanted = wantedOf({ name: query.term, locked: "true" }, null);
      const { accounts } = await searchAccounts(edges, wanted);
      return accounts.map((row) => ({
        name: row.userId,
        is_guest: row.isGuest,
        admin: row.isAdmin,
        user_type: row.userType,
      }));
    },
  },
);
