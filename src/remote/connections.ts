import { isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector } from "undici";
import { EgressError, egressErrorOf } from "./egress-error.ts";
import type { Guard } from "./guard.ts";
import type { Resolve } from "./resolve.ts";

const CONNECT_MS = 5_000;
/** For one address of several, before the next is tried. */
const ATTEMPT_MS = 1_500;
const MOST_PER_HOST = 8;
const IDLE_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Pooled connections to addresses that were checked: a name is resolved once for
 * each, here, and what was checked is what is connected to. It asks no proxy of
 * the environment.
 */
export function openConnections(guard: Guard, resolve: Resolve): Agent {
  const lookup: LookupFunction = (host, { all }, done) => {
    findAllowed(guard, resolve, host).then(
      (addresses) => {
        const found = addresses.map((address) => ({
          address,
          family: isIP(address),
        }));
        if (all) done(null, found);
        else done(null, found[0]!.address, found[0]!.family);
      },
      (error: unknown) => done(egressErrorOf(error), []),
    );
  };
  const connector = buildConnector({
    lookup,
    timeout: CONNECT_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
  });
  return new Agent({
    connections: MOST_PER_HOST,
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // The deadline of the whole call is what ends it.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect(options, done) {
      connector(options, (error, socket) => {
        if (error) return done(error, null);
        const isRight =
          guard.checkHost(options.hostname) === "trusted" ||
          guard.isAllowed(socket.remoteAddress ?? "");
        if (isRight) return done(null, socket);
        socket.destroy();
        return done(new EgressError("refused"), null);
      });
    },
  });
}

/** One denied address among several is an attack, or a mistake: none is called. */
async function findAllowed(
  guard: Guard,
  resolve: Resolve,
  host: string,
): Promise<readonly string[]> {
  const verdict = guard.checkHost(host);
  if (verdict === "refused") throw new EgressError("refused");
  const addresses = await resolve(host, verdict);
  if (addresses.length === 0) throw new EgressError("unreachable");
  const isRefused =
    verdict !== "trusted" &&
    !addresses.every((address) => guard.isAllowed(address));
  if (isRefused) throw new EgressError("refused");
  return addresses;
}
