import { MatrixError, withoutStack } from "../../core/errors.ts";
import { Turns } from "../../util/turns.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import type { Middleware } from "../context.ts";

/**
 * A client that asks for more at once than this waits for itself, not the others
 * for it. A body that is still to come takes no turn: it costs nothing.
 */
const AT_ONCE = 4;
/** Of what has turns of its own, since it waits most of its time. */
const APART_AT_ONCE = 16;
/** Each holds a connection, of which a process has some thousands. */
const MOST_WAITING = 2_000;
const RETRY_AFTER_MS = 1_000;

export function takeTurns(): Middleware {
  const works = new Turns(AT_ONCE);
  const apart = new Turns(APART_AT_ONCE);
  return ({ state }, next) => {
    const { requester, route, ip } = state;
    const whom = requester?.userId ?? limitKeyOf(ip);
    // Each device has turns of its own for its polls.
    const isPoll = route.endpoint.longPoll === true && requester !== undefined;
    const { ownTurns } = route.endpoint;
    const part = isPoll ? requester.deviceId : ownTurns;
    const key = part === undefined ? whom : `${whom} ${part}`;
    const turns = part === undefined ? works : apart;
    if (turns.waiting(key) < MOST_WAITING) {
      const work = turns.run(key, next);
      // Nobody holds the request for it: it may wait for minutes, and answers by itself.
      return isPoll ? undefined : work;
    }
    throw withoutStack(
      () =>
        new MatrixError("M_LIMIT_EXCEEDED", "Too many requests at once.", {
          retry_after_ms: RETRY_AFTER_MS,
        }),
    );
  };
}
