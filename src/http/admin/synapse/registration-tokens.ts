import {
  changeToken,
  makeToken,
  readToken,
  removeToken,
  searchTokens,
} from "../../../domain/admin/users/registration-tokens.ts";
import { endpoint } from "../../endpoint.ts";
import {
  COUNT,
  EMPTY,
  named,
  object,
  orNull,
  TEXT,
  TIME,
} from "../../json-schema.ts";
import { DONE, FLAG, flagOf, NATIVE, V1, type Flag } from "./common.ts";
import {
  cutPage,
  listAnswer,
  listQuery,
  pageAnswer,
  type PageQuery as ListQuery,
} from "../paging.ts";

const TOKENS = `${V1}/registration_tokens`;
const TOKEN = `${TOKENS}/:token`;
const NATIVE_TOKENS = `${NATIVE}/registration-tokens`;
type OneToken = { params: { token: string } };
type Row = Awaited<ReturnType<typeof readToken>>;

const shown = (row: Row) => ({
  token: row.token,
  uses_allowed: row.usesAllowed,
  // A use is taken when the account is made, and never before.
  pending: 0,
  completed: row.completed,
  expiry_time: row.expiresTs,
});

const REGISTRATION_TOKEN = named(
  "RegistrationToken",
  object({
    token: TEXT,
    uses_allowed: orNull(COUNT),
    pending: COUNT,
    completed: COUNT,
    expiry_time: orNull(TIME),
  }),
);

export const getRegistrationTokens = endpoint<{ query: { valid?: Flag } }>({
  method: "get",
  path: TOKENS,
  auth: "admin",
  permission: "tokens.read",
  rateLimit: "admin",
  query: { type: "object", properties: { valid: FLAG } },
  async handle(edges, { query }) {
    const rows = await searchTokens(edges, flagOf(query.valid));
    return { registration_tokens: rows.map(shown) };
  },
});

/** The same as a list like all others. */
export const listRegistrationTokens = endpoint<{
  query: ListQuery & { valid?: boolean };
}>({
  method: "get",
  path: NATIVE_TOKENS,
  auth: "admin",
  permission: "tokens.read",
  rateLimit: "admin",
  query: listQuery(["created_ts"], { valid: { type: "boolean" } }),
  doc: {
    id: "listRegistrationTokens",
    says: "Lists the tokens by which people may register.",
    answers: listAnswer("registration_tokens", REGISTRATION_TOKEN),
  },
  async handle(edges, { query }) {
    const all = await searchTokens(edges, query.valid ?? null);
    const tokens = cutPage(query, all);
    return {
      registration_tokens: tokens.map(shown),
      ...pageAnswer(query, tokens.length, all.length),
    };
  },
});

interface Limits {
  uses_allowed?: number | null;
  expiry_time?: number | null;
}

const limits = {
  uses_allowed: {
    type: ["integer", "null"],
    minimum: 0,
    maximum: 2_147_483_647,
  },
  expiry_time: {
    type: ["integer", "null"],
    minimum: 0,
    maximum: 8_640_000_000_000_000,
  },
};

export const postRegistrationToken = endpoint<{
  body: Limits & { token?: string | null; length?: number | null };
}>({
  method: "post",
  path: `${TOKENS}/new`,
  also: [NATIVE_TOKENS],
  auth: "admin",
  permission: "tokens.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      token: { type: ["string", "null"], maxLength: 64 },
      length: { type: ["integer", "null"], minimum: 1, maximum: 64 },
      ...limits,
    },
  },
  doc: {
    id: "createRegistrationToken",
    says: "Makes a token by which somebody may register.",
    answers: REGISTRATION_TOKEN,
  },
  async handle(edges, { body, ...by }) {
    const { token, length, uses_allowed = null, expiry_time = null } = body;
    const made = await makeToken(edges, by, {
      ...(typeof token === "string" && { token }),
      length: length ?? 16,
      usesAllowed: uses_allowed,
      expiresTs: expiry_time,
    });
    return shown(made);
  },
});

export const getRegistrationToken = endpoint<OneToken>({
  method: "get",
  path: TOKEN,
  also: [`${NATIVE_TOKENS}/:token`],
  auth: "admin",
  permission: "tokens.read",
  rateLimit: "admin",
  doc: {
    id: "getRegistrationToken",
    says: "Reads a token for registration.",
    answers: REGISTRATION_TOKEN,
  },
  async handle(edges, { params }) {
    return shown(await readToken(edges, params.token));
  },
});

export const putRegistrationToken = endpoint<OneToken & { body: Limits }>({
  method: "put",
  path: TOKEN,
  also: [`${NATIVE_TOKENS}/:token`],
  auth: "admin",
  permission: "tokens.write",
  rateLimit: "admin",
  body: { type: "object", properties: limits },
  doc: {
    id: "changeRegistrationToken",
    says: "Changes how often and until when a token is good.",
    answers: REGISTRATION_TOKEN,
  },
  async handle(edges, { params, body, ...by }) {
    const { uses_allowed, expiry_time } = body;
    const changed = await changeToken(edges, by, params.token, {
      ...(uses_allowed !== undefined && { usesAllowed: uses_allowed }),
      ...(expiry_time !== undefined && { expiresTs: expiry_time }),
    });
    return shown(changed);
  },
});

export const deleteRegistrationToken = endpoint<OneToken>({
  method: "delete",
  path: TOKEN,
  also: [`${NATIVE_TOKENS}/:token`],
  auth: "admin",
  permission: "tokens.write",
  rateLimit: "admin",
  doc: {
    id: "deleteRegistrationToken",
    says: "Takes a token for registration away.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await removeToken(edges, by, params.token);
    return DONE;
  },
});
