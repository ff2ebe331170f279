import type { Exchange } from "./context.ts";
import type { AnyInput } from "./endpoint.ts";
import { RequestView } from "./request-view.ts";

/** What an endpoint is told of a request. */
export const inputOf = (exchange: Exchange, bodyIdleMs: number): AnyInput => {
  const { state } = exchange;
  return {
    params: state.params,
    query: state.queryValues,
    body: state.body,
    request: new RequestView(exchange, bodyIdleMs),
    ...(state.requester && { requester: state.requester }),
    ...(state.actor && { actor: state.actor }),
  };
};
