import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import {
  listTokensOfWipes,
  type TokenOfWipe,
} from "../../storage/device-wipes.ts";
import { gather } from "../../util/gather.ts";
import type { ClientOrigin } from "./requester.ts";

type Needs = Pick<Edges, "committer" | "db" | "now">;

/** What the refusal of a token says besides, where the device that it was of is wiped. */
export const WIPED = { "org.myelin.wipe": true } as const;

/**
 * Whether a token that nobody knows was of a wiped device. The refusal that follows is
 * what makes a client drop all that it keeps; the first one is noted.
 */
export function createIsWiped(
  edges: Needs,
): (tokenHash: Buffer, origin: Partial<ClientOrigin>) => Promise<boolean> {
  const find = gather(async (keys: readonly string[]) => {
    const hashes = keys.map((key) => Buffer.from(key, "base64"));
    const rows = await listTokensOfWipes(edges.db, hashes);
    return new Map(
      rows.map((row) => [row.tokenHash.toString("base64"), row] as const),
    );
  });
  return async (tokenHash, origin) => {
    const wipe = await find(tokenHash.toString("base64"));
    if (!wipe) return false;
    if (wipe.toldTs === null) await noteTold(edges, wipe, origin);
    return true;
  };
}

const keyOf = (wipeId: string): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["wipe told", wipeId]))
    .digest()
    .subarray(0, 16);

/** Once, however many of its requests are refused at the same time. */
async function noteTold(
  { committer, now }: Needs,
  { wipeId, userId, deviceId }: TokenOfWipe,
  origin: Partial<ClientOrigin>,
): Promise<void> {
  await committer.commit({
    positions: 0,
    idempotency: [{ key: keyOf(wipeId), answer: "" }],
    rows: { toldWipes: [{ wipeId }] },
    audit: [
      {
        ts: now(),
        action: "auth.wiped",
        actor: { kind: "nobody", ...origin },
        resource: { type: "user", id: userId },
        result: "allowed",
        after: { device: deviceId, wipe: wipeId },
      },
    ],
  });
}
