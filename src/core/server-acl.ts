import { compileGlob, matchesGlob, type Glob } from "./glob.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { parseServerName } from "./server-name.ts";

/** An `m.room.server_acl` event, compiled once for all who ask. */
export interface ServerAcl {
  allow: readonly Glob[];
  deny: readonly Glob[];
  allowIpLiterals: boolean;
}

/** Server names are no longer than this: what asks for more matches none. */
const MAX_NAME_LENGTH = 255;

export const parseServerAcl = (content: JsonObject): ServerAcl => ({
  allow: globsOf(content["allow"]),
  deny: globsOf(content["deny"]),
  // "Defaults to true if missing or otherwise not a boolean."
  allowIpLiterals: content["allow_ip_literals"] !== false,
});

const globsOf = (value: JsonValue | undefined): Glob[] =>
  Array.isArray(value)
    ? value
        .filter((pattern) => typeof pattern === "string")
        .map((pattern) => compileGlob(pattern))
        .filter(({ minLength }) => minLength <= MAX_NAME_LENGTH)
    : [];

/** Whether a server may take part in a room. */
export function isServerAllowed(
  acl: ServerAcl | undefined,
  serverName: string,
): boolean {
  // If there is no m.room.server_acl event in the room state, allow.
  if (acl === undefined) return true;
  const address = parseServerName(serverName);
  if (address === undefined) return false;
  // If the server name is an IP address (v4 or v6) literal, and allow_ip_literals is present
  // and false, deny.
  if (address.kind !== "dns" && !acl.allowIpLiterals) return false;
  const name = address.kind === "ipv6" ? `[${address.host}]` : address.host;
  // If the server name matches an entry in the deny list, deny.
  if (acl.deny.some((glob) => matchesGlob(glob, name))) return false;
  // If the server name matches an entry in the allow list, allow. Otherwise, deny.
  return acl.allow.some((glob) => matchesGlob(glob, name));
}
