import { lookup, Resolver } from "node:dns/promises";

/** The addresses of a name; rejects where there are none. */
export type Resolve = (
  host: string,
  verdict: "trusted" | "unknown",
) => Promise<readonly string[]>;

/**
 * Strangers' names are asked of DNS alone, and beside the thread pool, which a few
 * slow ones would fill. The settings' own names may stand in the hosts file or
 * need a search domain.
 */
export function createResolve(): Resolve {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  return async (host, verdict) => {
    if (verdict === "trusted") {
      const found = await lookup(host, { all: true });
      return found.map(({ address }) => address);
    }
    const [ipv4, ipv6] = await Promise.allSettled([
      resolver.resolve4(host),
      resolver.resolve6(host),
    ]);
    const found = [ipv4, ipv6].flatMap((answer) =>
      answer.status === "fulfilled" ? answer.value : [],
    );
    if (found.length === 0 && ipv4.status === "rejected") throw ipv4.reason;
    return found;
  };
}
