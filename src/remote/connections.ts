import { Agent, buildConnector } from "undici";
import { EgressError } from "./egress-error.ts";
import type { Guard } from "./guard.ts";
import type { Resolve } from "./resolve.ts";
import { CONNECT_MS, isRight, waysTo } from "./sockets.ts";

const MOST_PER_HOST = 8;
const IDLE_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Pooled connections to addresses that were checked: a name is resolved once for
 * each, here, and what was checked is what is connected to. It asks no proxy of
 * the environment.
 */
export function openConnections(guard: Guard, resolve: Resolve): Agent {
  const connector = buildConnector({
    ...waysTo(guard, resolve),
    timeout: CONNECT_MS,
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
        if (isRight(guard, options.hostname, socket)) return done(null, socket);
        socket.destroy();
        return done(new EgressError("refused"), null);
      });
    },
  });
}
