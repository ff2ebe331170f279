import { MatrixError } from "../../core/errors.ts";
import { emptyJsonObject } from "../../core/json.ts";
import { readJson } from "../../core/json-reader.ts";
import { readBody } from "../body.ts";
import type { Context, Middleware } from "../context.ts";
import { assertValid, type FindFault } from "../schema.ts";

const DEFAULT_MAX_BYTES = 128 * 1024;
const LIMITS = { maxDepth: 100, maxKeys: 30_000 };

/**
 * Reads and validates the body where the endpoint names a schema, or takes bytes. The
 * content type is not asked for: clients leave it out or send another.
 */
export function body(idleMs: number): Middleware {
  const read = async ({ req, state }: Context, findFault: FindFault) => {
    const { endpoint } = state.route;
    const maxBytes = endpoint.maxBodyBytes ?? DEFAULT_MAX_BYTES;
    const bytes = await readBody(req, { maxBytes, idleMs });
    // Clients leave out the body of a POST that asks for nothing.
    const isEmpty = bytes.length === 0 && endpoint.method !== "put";
    const value = isEmpty
      ? emptyJsonObject()
      : readJson(bytes, { ...LIMITS, maxBytes });
    if (isEmpty && findFault(value)) {
      throw new MatrixError("M_NOT_JSON", "The request has no body.");
    }
    assertValid(findFault, value, "M_BAD_JSON");
    state.body = value;
  };
  const readBytes = async ({ req, state }: Context) => {
    const { maxBodyBytes: maxBytes = DEFAULT_MAX_BYTES } = state.route.endpoint;
    state.body = await readBody(req, { maxBytes, idleMs });
  };
  return (ctx, next) => {
    const { findBodyFault, endpoint } = ctx.state.route;
    if (endpoint.takesBytes === true) return readBytes(ctx).then(next);
    return findBodyFault ? read(ctx, findBodyFault).then(next) : next();
  };
}
