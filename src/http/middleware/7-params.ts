import type { Requester } from "../../domain/accounts/requester.ts";
import type { Can, Resource } from "../../domain/admin/permission.ts";
import { notAllowed, refusalOf } from "../../domain/admin/refusal.ts";
import type { Context, Middleware } from "../context.ts";

/** Parses the path and query; `also` paths leave out what is empty. */
export const params: Middleware = ({ state }, next) => {
  const { endpoint, names, parseQuery } = state.route;
  const parsed: Record<string, unknown> = Object.create(null);
  for (const name of names) {
    const segment = state.segments[name] ?? "";
    parsed[name] = endpoint.params?.[name]?.(segment) ?? segment;
  }
  state.params = parsed;
  state.queryValues = parseQuery?.(state.query) ?? Object.create(null);
  return next();
};

/** Asks the one `can` for every admin route, before its body is read. */
export function permission(can: Can, findRoom: FindRoom): Middleware {
  const ask = async ({ state, req }: Context, requester: Requester) => {
    const { permission, resource, ownToo } = state.route.endpoint;
    await nameRoom(state.params, findRoom);
    const touched = resource?.(state.params) ?? resourceOf(state.params);
    const isOwn =
      ownToo === true &&
      touched.userId === requester.userId &&
      !requester.adminToken;
    state.touched = touched;
    state.isOwn = isOwn;
    if (permission === undefined) throw notAllowed(permission);
    const verdict = await can(requester, permission, touched);
    state.roles = verdict.roles;
    if (!isOwn && !verdict.isAllowed) throw refusalOf(permission, verdict);
    state.actor = {
      userId: requester.userId,
      deviceId: requester.deviceId,
      ...(requester.adminToken && { adminTokenId: requester.tokenId }),
      permission,
      requestId: state.requestId,
      ip: state.ip,
      userAgent: req.headers["user-agent"] ?? "",
    };
  };
  return (ctx, next) => {
    const { requester, route } = ctx.state;
    return route.endpoint.auth === "admin" && requester
      ? ask(ctx, requester).then(next)
      : next();
  };
}

/** The room that an alias leads to at this moment. */
export type FindRoom = (alias: string) => Promise<string | undefined>;

/** What is judged is what is acted upon: the alias may lead elsewhere a moment later. */
async function nameRoom(
  params: Record<string, unknown>,
  findRoom: FindRoom,
): Promise<void> {
  const { roomIdOrAlias } = params;
  if (typeof roomIdOrAlias !== "string" || !roomIdOrAlias.startsWith("#"))
    return;
  const roomId = await findRoom(roomIdOrAlias);
  if (roomId !== undefined) params["roomIdOrAlias"] = roomId;
}

function resourceOf(params: Record<string, unknown>): Resource {
  const { userId, roomIdOrAlias, roomId = roomIdOrAlias } = params;
  return {
    ...(typeof userId === "string" && { userId }),
    ...(typeof roomId === "string" && { roomId }),
  };
}
