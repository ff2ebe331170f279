import { createHmac, timingSafeEqual } from "node:crypto";
import type { Edges, Settings } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { deleteMailPusher } from "../../storage/pushers.ts";

const PATH = "/_myelin/client/v1/unsubscribe";

/** Where whoever got a mail ends them, without a session. */
export const unsubscribeUrl = (settings: Settings, pusherId: number): string =>
  `${settings.publicBaseUrl ?? `https://${settings.serverName}`}${PATH}?token=${tokenOf(settings, pusherId)}`;

/** Throws `M_NOT_FOUND` for a token that this server has not made. */
export function parseUnsubscribeToken(
  settings: Settings,
  token: string,
): number {
  const pusherId = Number(/^([0-9]{1,16})\./.exec(token)?.[1] ?? NaN);
  const right = Buffer.from(tokenOf(settings, pusherId));
  const given = Buffer.from(token);
  if (given.length === right.length && timingSafeEqual(given, right))
    return pusherId;
  throw new MatrixError("M_NOT_FOUND", "This link is not known here.");
}

/** Nobody is mailed by this pusher any more. */
export const unsubscribe = (
  { db, settings }: Pick<Edges, "db" | "settings">,
  token: string,
): Promise<void> =>
  deleteMailPusher(db, parseUnsubscribeToken(settings, token));

function tokenOf({ password }: Settings, pusherId: number): string {
  const mac = createHmac("sha256", password.pepper)
    .update(`unsubscribe\n${pusherId}`)
    .digest("base64url");
  return `${pusherId}.${mac}`;
}
