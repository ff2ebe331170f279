import type { Middleware } from "../context.ts";
import type { Refuse } from "../refuse.ts";

/** The one catch of what comes before the endpoint. */
export function errors(refuse: Refuse): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      refuse(ctx, error);
    }
  };
}
