import { MatrixError } from "../../core/errors.ts";
import { isCompliantUserId } from "../../core/ids.ts";
import type { Requester } from "../../domain/accounts/requester.ts";
import type { Grounds } from "../../domain/admin/administrator.ts";
import { Approving } from "../../domain/admin/approvals/approving.ts";
import {
  factsOf,
  isPermission,
  type Permission,
} from "../../domain/admin/permissions.ts";
import type { Asker, Edges } from "../../edges.ts";
import type { Context, Middleware, Recording } from "../context.ts";
import { groundsOf } from "../grounds.ts";
import { inputOf } from "../input-of.ts";

/**
 * Holds what was granted against what it takes besides: a case and a reason to read what
 * people wrote, and a second person. All of the request is known and valid by now.
 */
export function approve(
  edgesNow: (waitedMs: number, asker: Asker) => Edges,
  bodyIdleMs: number,
): Middleware {
  const ask = async (
    { state, req, res }: Context,
    permission: Permission,
    requester: Requester,
    { trail }: Recording,
  ) => {
    const { endpoint } = state.route;
    const { params, queryValues: query, body, touched = {} } = state;
    const edges = edgesNow(state.waitedMs, requester);
    const grounds = groundsOf(req.headers, state.query, body);
    const also = endpoint.alsoTakes?.(body, {
      requester,
      settings: edges.settings,
    });
    if (also?.noted) trail.note({ after: also.noted });
    const permissions = [permission, ...(also?.permissions ?? [])];
    if (permissions.some(readsPeople)) {
      assertGrounds(edges.settings.requiresCase, grounds);
      trail.note(grounds);
    }
    const asked = {
      ...{ method: endpoint.method, path: endpoint.path },
      ...{ params, query, body },
    };
    const validate = async () => {
      const input = inputOf({ state, req, res }, bodyIdleMs);
      await endpoint.validate?.(edges, input);
    };
    trail.approveBy(
      new Approving(edges, { requester, asked, grounds, validate }),
    );
    const userId = touched.userId ?? also?.userId ?? userIn(body);
    await trail.demand({
      permissions,
      ...touched,
      ...(userId !== undefined && { userId }),
    });
  };
  return (ctx, next) => {
    const { route, requester, recording, isOwn } = ctx.state;
    const { permission } = route.endpoint;
    return permission !== undefined && requester && recording && !isOwn
      ? ask(ctx, permission, requester, recording).then(next)
      : next();
  };
}

const readsPeople = (permission: string): boolean =>
  isPermission(permission) && factsOf(permission).class.includes("P");

function assertGrounds(isRequired: boolean, grounds: Grounds): void {
  if (!isRequired) return;
  if (grounds.caseId !== undefined && grounds.reason !== undefined) return;
  throw new MatrixError(
    "ORG_MYELIN_CASE_REQUIRED",
    "To read this takes a case and a reason, in the headers X-Myelin-Case and X-Myelin-Reason, or as case_id and reason.",
  );
}

/** Whom the body names, where the path names nobody. */
function userIn(body: unknown): string | undefined {
  const { user_id: userId } = (body ?? {}) as { user_id?: unknown };
  return typeof userId === "string" && isCompliantUserId(userId)
    ? userId
    : undefined;
}
