import { matchesGlob } from "../../core/glob.ts";

/** Of the whole: a scheme, a host, a port and a path, of which the host alone must stand there. */
const PATTERN = /^(?:([^:/]+):\/\/)?(\[[^\]]*\]|[^:/]+)(?::([^:/]+))?(\/.*)?$/;

/**
 * Whether an address is one of `[scheme://]host[:port][/path]`, where each part is a
 * glob. What a pattern does not name may be anything.
 */
export function matchesUrlPattern(pattern: string, url: URL): boolean {
  const [, scheme = "*", host, port = "*", path = "*"] =
    PATTERN.exec(pattern) ?? [];
  if (host === undefined) return false;
  const ownPort = url.port || (url.protocol === "https:" ? "443" : "80");
  // A name with the dot of the root is the same name.
  const ownHost = url.hostname.replace(/\.$/, "");
  return (
    matchesGlob(scheme, url.protocol.slice(0, -1)) &&
    matchesGlob(host, ownHost) &&
    matchesGlob(port, ownPort) &&
    matchesGlob(path, url.pathname + url.search)
  );
}

/** Whether an address may be fetched for a preview; nothing that is denied, and of `allow`, if it names any. */
export function mayPreview(
  { allow, deny }: { allow: readonly string[]; deny: readonly string[] },
  url: URL,
): boolean {
  const isIn = (patterns: readonly string[]) =>
    patterns.some((pattern) => matchesUrlPattern(pattern, url));
  return !isIn(deny) && (allow.length === 0 || isIn(allow));
}
