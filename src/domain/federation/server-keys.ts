import type { JsonObject } from "../../core/json.ts";
import { signJson } from "../../core/signing.ts";
import { publicKeyOf } from "../../core/signing-key.ts";
import type { Edges } from "../../edges.ts";

const VALID_MS = 24 * 60 * 60 * 1000;

/** The public key that this server's events are signed with, signed by it. */
export function readServerKeys({
  now,
  serverKey: { keyId, privateKey },
  settings: { serverName },
}: Pick<Edges, "now" | "serverKey" | "settings">): JsonObject {
  return signJson(
    {
      server_name: serverName,
      valid_until_ts: now() + VALID_MS,
      verify_keys: { [keyId]: { key: publicKeyOf(privateKey) } },
      old_verify_keys: {},
    },
    { serverName, keyId, privateKey },
  );
}
