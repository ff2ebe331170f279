import { createHmac } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { assertAllowed, type PolicyEdges } from "../policies/enforce.ts";

export interface TurnCredentials {
  username: string;
  password: string;
  uris: readonly string[];
  ttlSeconds: number;
}

/**
 * Credentials for a while, as TURN servers check them that share a secret with us;
 * undefined where there is none.
 * https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00
 */
export async function findTurnCredentials(
  edges: PolicyEdges & Pick<Edges, "settings" | "now">,
  userId: string,
): Promise<TurnCredentials | undefined> {
  const { settings, now } = edges;
  if (!settings.turn) return undefined;
  await assertAllowed(edges, userId, "call", {});
  const { uris, sharedSecret, ttlSeconds } = settings.turn;
  const expires = Math.floor(now() / 1000) + ttlSeconds;
  const username = `${expires}:${userId}`;
  // What coturn computes; a collision of SHA-1 forges no HMAC.
  const password = createHmac("sha1", sharedSecret)
    .update(username)
    .digest("base64");
  return { username, password, uris, ttlSeconds };
}
