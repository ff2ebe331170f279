import { MatrixError } from "../../core/errors.ts";
import { Turns } from "../../util/turns.ts";
import { limitKeyOf } from "../address.ts";
import type { Middleware } from "../context.ts";

/**
 * A client that asks for more at once than this waits for itself, not the others
 * for it. A body that is still to come takes no turn: it costs nothing.
 */
const AT_ONCE = 16;
/** Each holds a connection, of which a process has some thousands. */
const MOST_WAITING = 2_000;
const RETRY_AFTER_MS = 1_000;

export function takeTurns(): Middleware {
  const turns = new Turns(AT_ONCE);
  return ({ state }, next) => {
    const { requester, route, ip } = state;
    const whom = requester?.userId ?? limitKeyOf(ip);
    // Polls wait most of their time: each device has turns of its own for them.
    const isPoll = route.endpoint.longPoll === true && requester !== undefined;
    const { ownTurns } = route.endpoint;
    const part = isPoll ? requester.deviceId : ownTurns;
    const key = part === undefined ? whom : `${whom} ${part}`;
    if (turns.waiting(key) < MOST_WAITING) return turns.run(key, next);
    throw new MatrixError("M_LIMIT_EXCEEDED", "Too many requests at once.", {
      retry_after_ms: RETRY_AFTER_MS,
    });
  };
}
