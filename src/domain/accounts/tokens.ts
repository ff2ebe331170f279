import { hash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import type { WriteRows } from "../../storage/write.ts";

/** What the database keeps of a token. */
export const hashToken = (token: string): Buffer =>
  hash("sha256", token, "buffer");

const ACCESS_TOKEN_MS = 60 * 60 * 1000;

/** Tokens as the client gets them; access tokens of clients that can refresh expire. */
export interface GivenTokens {
  accessToken: string;
  refreshToken: string | null;
  expiresInMs: number | null;
}

/** Makes an access token (and a refresh token), and the row that remembers them. */
export async function makeTokens(
  { nids, random, now }: Pick<Edges, "nids" | "random" | "now">,
  userId: string,
  deviceId: string,
  canRefresh: boolean,
): Promise<{ given: GivenTokens; row: WriteRows["newTokens"][number] }> {
  const accessToken = `myl_${random.token()}`;
  const refreshToken = canRefresh ? `myr_${random.token()}` : null;
  const [tokenId] = await nids.take(1);
  const createdTs = now();
  return {
    given: {
      accessToken,
      refreshToken,
      expiresInMs: canRefresh ? ACCESS_TOKEN_MS : null,
    },
    row: {
      tokenHash: hashToken(accessToken),
      tokenId: tokenId!,
      userId,
      deviceId,
      expiresTs: canRefresh ? createdTs + ACCESS_TOKEN_MS : null,
      createdTs,
      refresh: refreshToken === null ? null : hashToken(refreshToken),
    },
  };
}
