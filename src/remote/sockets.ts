import { once } from "node:events";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { EgressError, egressErrorOf } from "./egress-error.ts";
import type { Guard } from "./guard.ts";
import type { Resolve } from "./resolve.ts";

export const CONNECT_MS = 5_000;
/** For one address of several, before the next is tried. */
const ATTEMPT_MS = 1_500;

/** One connection, to an address that was checked; it ends when the signal aborts. */
export async function openSocket(
  guard: Guard,
  resolve: Resolve,
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ ...waysTo(guard, resolve), host, port, signal });
  // What ends it when nobody waits any more is no fault of the process.
  socket.on("error", () => undefined);
  const timer = setTimeout(
    () => socket.destroy(new EgressError("slow")),
    CONNECT_MS,
  );
  try {
    await once(socket, "connect");
  } finally {
    clearTimeout(timer);
  }
  if (isRight(guard, host, socket)) return socket;
  socket.destroy();
  throw new EgressError("refused");
}

/** Whether what is connected to may be called. */
export const isRight = (guard: Guard, host: string, socket: Socket): boolean =>
  guard.checkHost(host) === "trusted" ||
  guard.isAllowed(socket.remoteAddress ?? "");

/** How a name becomes addresses, of which the first that answers is called. */
export function waysTo(guard: Guard, resolve: Resolve) {
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
  return {
    lookup,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
  };
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
