import {
  createAdminToken,
  endAdminToken,
  listOwnTokens,
} from "../../domain/admin/admin-tokens.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  EMPTY,
  INTEGER,
  named,
  object,
  TEXT,
  TIME,
} from "../json-schema.ts";
import { numberParam } from "./names.ts";
import {
  cutPage,
  listAnswer,
  listQuery,
  pageAnswer,
  type PageQuery,
} from "./paging.ts";

const TOKENS = "/_myelin/admin/v1/tokens";

const TOKEN = named(
  "AdminToken",
  object({
    token_id: INTEGER,
    name: TEXT,
    permissions: arrayOf(TEXT),
    networks: arrayOf(TEXT),
    expires_ts: TIME,
    created_ts: TIME,
  }),
);

export const getAdminTokens = endpoint<{ query: PageQuery }>({
  method: "get",
  path: TOKENS,
  auth: "admin",
  permission: "me.tokens",
  rateLimit: "admin",
  query: listQuery(["created_ts"]),
  doc: {
    id: "listMyTokens",
    says: "Lists one’s own tokens for scripts.",
    answers: listAnswer("tokens", TOKEN),
  },
  async handle(edges, { query, ...by }) {
    const all = (await listOwnTokens(edges, by)).toReversed();
    const tokens = cutPage(query, all).map((row) => ({
      token_id: row.tokenId,
      name: row.name,
      permissions: row.permissions,
      networks: row.networks,
      expires_ts: row.expiresTs,
      created_ts: row.createdTs,
    }));
    return { tokens, ...pageAnswer(query, tokens.length, all.length) };
  },
});

interface NewToken {
  name: string;
  permissions: string[];
  networks?: string[];
  expires_ts: number;
}

/** The only answer that holds the token. */
export const postAdminToken = endpoint<{ body: NewToken }>({
  method: "post",
  path: TOKENS,
  auth: "admin",
  permission: "me.tokens",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      name: { type: "string", minLength: 1, maxLength: 128 },
      permissions: {
        type: "array",
        minItems: 1,
        maxItems: 200,
        items: { type: "string", maxLength: 128 },
      },
      networks: {
        type: "array",
        maxItems: 50,
        items: { type: "string", maxLength: 64 },
      },
      expires_ts: { type: "integer" },
    },
    required: ["name", "permissions", "expires_ts"],
  },
  doc: {
    id: "createToken",
    says: "Makes a token of a part of one’s own permissions; only this answer holds it.",
    answers: object({ token_id: INTEGER, token: TEXT }),
  },
  async handle(edges, { body, ...by }) {
    const { name, permissions, networks = [], expires_ts: expiresTs } = body;
    const order = { name, permissions, networks, expiresTs };
    const { token, tokenId } = await createAdminToken(edges, by, order);
    return { token_id: tokenId, token };
  },
});

export const deleteAdminToken = endpoint<{ params: { tokenId: number } }>({
  method: "delete",
  path: `${TOKENS}/:tokenId`,
  params: { tokenId: numberParam },
  auth: "admin",
  permission: "me.tokens",
  rateLimit: "admin",
  doc: {
    id: "deleteToken",
    says: "Ends one of one’s own tokens.",
    answers: EMPTY,
  },
  async handle(edges, { params, ...by }) {
    await endAdminToken(edges, by, params.tokenId);
    return {};
  },
});
