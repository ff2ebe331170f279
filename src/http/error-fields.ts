import type { Exchange } from "./context.ts";

/** Chosen fields only: an error's own may carry the values of a query. */
export function fieldsOf({ state }: Exchange, error: unknown): object {
  const route = state.route?.endpoint.path;
  return { request: state.requestId, route, error: plain(error, 0) };
}

function plain(error: unknown, depth: number): unknown {
  if (!(error instanceof Error)) return typeof error;
  const { name, message, stack, cause } = error;
  const code = "code" in error ? error.code : undefined;
  if (cause === undefined || depth > 5) return { name, message, code, stack };
  return { name, message, code, stack, cause: plain(cause, depth + 1) };
}
