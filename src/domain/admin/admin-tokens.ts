import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  listAdminTokens,
  listSpentAdminTokens,
  type AdminTokenRow,
} from "../../storage/admin-tokens.ts";
import { listPowers } from "../../storage/authority.ts";
import type { Write } from "../../storage/write.ts";
import { parseNetwork } from "../../util/ip-address.ts";
import { hashToken } from "../accounts/tokens.ts";
import { auditRecord } from "./audit-record.ts";
import { newAdminToken } from "./authenticate-token.ts";
import { noAccount, type Administrator } from "./change-authority.ts";
import { notAllowed } from "./refusal.ts";
import { readPermissions } from "./custom-roles.ts";
import { covers } from "./permissions.ts";
import { permissionsOf } from "./roles.ts";

type Needs = Pick<Edges, "committer" | "db" | "nids" | "now" | "random">;

const LONGEST_MS = 30 * 24 * 60 * 60 * 1000;
const MOST_TOKENS = 50;

export interface TokenOrder {
  name: string;
  permissions: readonly string[];
  /** Where it may be used from; empty for anywhere. */
  networks: readonly string[];
  expiresTs: number;
}

/**
 * Makes a token that carries a part of what its maker may do, for as long as the maker
 * may. It is shown this once.
 */
export async function createAdminToken(
  edges: Needs,
  by: Administrator,
  order: TokenOrder,
): Promise<{ token: string; tokenId: number }> {
  const { userId, adminToken } = by.requester;
  if (adminToken) {
    throw notAllowed("me.tokens", "A token cannot make tokens.");
  }
  const nowTs = edges.now();
  const { name, networks, expiresTs } = order;
  if (expiresTs <= nowTs || expiresTs > nowTs + LONGEST_MS) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "A token's time ends within thirty days from now.",
    );
  }
  const odd = networks.find((text) => parseNetwork(text) === undefined);
  if (odd !== undefined) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      `This is no network: ${JSON.stringify(odd)}.`,
    );
  }
  const permissions = readPermissions(order.permissions);
  const rows = await listPowers(edges.db, [userId]);
  const held = rows.flatMap(permissionsOf);
  const missing = permissions.find(
    (wanted) => !held.some((each) => covers(each, wanted)),
  );
  if (missing !== undefined) throw notAllowed(missing);
  const standing = await listAdminTokens(edges.db, userId);
  if (standing.length >= MOST_TOKENS) {
    throw new MatrixError(
      "M_RESOURCE_LIMIT_EXCEEDED",
      `You have ${MOST_TOKENS} tokens: end one of them first.`,
    );
  }
  const spent = await listSpentAdminTokens(edges.db, userId);
  const token = newAdminToken(edges);
  const [tokenId] = await edges.nids.take(1);
  const row = {
    tokenId: tokenId!,
    tokenHash: hashToken(token),
    ...{ userId, name, permissions, networks, expiresTs },
    createdTs: nowTs,
  };
  await commit(edges, by, tokenId!, {
    rows: {
      adminTokens: [row],
      removedAdminTokens: spent.map((each) => ({ tokenId: each })),
    },
    details: {
      name,
      permissions,
      networks: [...networks],
      expires_ts: expiresTs,
    },
  });
  return { token, tokenId: tokenId! };
}

/** Ends a token of one's own. */
export async function endAdminToken(
  edges: Needs,
  by: Administrator,
  tokenId: number,
): Promise<void> {
  const own = await listAdminTokens(edges.db, by.requester.userId);
  if (!own.some((each) => each.tokenId === tokenId))
    throw new MatrixError("M_NOT_FOUND", "You have no such token.");
  await commit(edges, by, tokenId, {
    rows: { removedAdminTokens: [{ tokenId }] },
    details: { ended: true },
  });
}

export const listOwnTokens = (
  { db }: Pick<Edges, "db">,
  { requester }: Administrator,
): Promise<AdminTokenRow[]> => listAdminTokens(db, requester.userId);

async function commit(
  edges: Needs,
  { requester, actor }: Administrator,
  tokenId: number,
  {
    rows,
    details,
  }: Pick<Write, "rows"> & {
    details: Parameters<typeof auditRecord>[0]["details"];
  },
): Promise<void> {
  const record = auditRecord(
    {
      act: "me.tokens",
      actor: actor.userId,
      target: String(tokenId),
      requestId: actor.requestId,
      ...(details && { details }),
    },
    edges.now(),
  );
  const outcome = await edges.committer.commit({
    positions: 1,
    activeUsers: [requester.userId],
    ...(rows && { rows }),
    audit: [record],
  });
  if (outcome.status !== "committed") throw noAccount();
}
