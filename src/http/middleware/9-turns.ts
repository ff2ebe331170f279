import { Turns } from "../../util/turns.ts";
import { limitKeyOf } from "../address.ts";
import type { Middleware } from "../context.ts";

/**
 * A client that asks for more at once than this waits for itself, not the others
 * for it. A body that is still to come takes no turn: it costs nothing.
 */
const AT_ONCE = 16;

export function takeTurns(): Middleware {
  const turns = new Turns(AT_ONCE);
  return ({ state }, next) => {
    const { requester, route, ip } = state;
    const whom = requester?.userId ?? limitKeyOf(ip);
    // Polls wait most of their time: each device has turns of its own for them.
    const isPoll = route.endpoint.longPoll === true && requester !== undefined;
    return turns.run(isPoll ? `${whom} ${requester.deviceId}` : whom, next);
  };
}
