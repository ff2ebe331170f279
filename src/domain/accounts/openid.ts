import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  findOpenidUser,
  insertOpenidToken,
} from "../../storage/openid-tokens.ts";
import type { Requester } from "./requester.ts";
import { hashToken } from "./tokens.ts";

const LIFETIME_MS = 60 * 60 * 1000;

export interface OpenidToken {
  accessToken: string;
  expiresInSeconds: number;
}

/** A token by which another service asks us who the user is. It opens nothing else. */
export async function makeOpenidToken(
  { db, random, now }: Pick<Edges, "db" | "random" | "now">,
  { userId, deviceId }: Pick<Requester, "userId" | "deviceId">,
  owner: string,
): Promise<OpenidToken> {
  if (owner !== userId) {
    throw new MatrixError("M_FORBIDDEN", "You can prove only who you are.");
  }
  const accessToken = `myo_${random.token()}`;
  const expiresTs = now() + LIFETIME_MS;
  const tokenHash = hashToken(accessToken);
  await insertOpenidToken(
    db,
    { tokenHash, userId, deviceId, expiresTs },
    now(),
  );
  return { accessToken, expiresInSeconds: LIFETIME_MS / 1000 };
}

/** The user of an OpenID token, always one of this server. Throws `M_UNKNOWN_TOKEN`. */
export async function getOpenidUser(
  { db, now }: Pick<Edges, "db" | "now">,
  accessToken: string,
): Promise<string> {
  const userId = await findOpenidUser(db, hashToken(accessToken), now());
  if (userId !== undefined) return userId;
  throw new MatrixError("M_UNKNOWN_TOKEN", "The token is unknown or over.");
}
