import {
  createAdminToken,
  endAdminToken,
  listOwnTokens,
} from "../../domain/admin/admin-tokens.ts";
import { endpoint } from "../endpoint.ts";
import { numberParam } from "./names.ts";

const TOKENS = "/_myelin/admin/v1/tokens";

export const getAdminTokens = endpoint({
  method: "get",
  path: TOKENS,
  auth: "admin",
  permission: "me.tokens",
  rateLimit: "admin",
  async handle(edges, by) {
    const tokens = (await listOwnTokens(edges, by)).map((row) => ({
      token_id: row.tokenId,
      name: row.name,
      permissions: row.permissions,
      networks: row.networks,
      expires_ts: row.expiresTs,
      created_ts: row.createdTs,
    }));
    return { tokens, total: tokens.length };
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
  async handle(edges, { params, ...by }) {
    await endAdminToken(edges, by, params.tokenId);
    return {};
  },
});
