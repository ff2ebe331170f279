import {
  formatPositionToken,
  parsePagingToken,
} from "../../domain/rooms/paging-token.ts";
import { positionOf } from "../../domain/rooms/related-events.ts";
import {
  getThreadSubscription,
  readSubscriptionChanges,
  subscribeToThread,
  unsubscribeFromThread,
} from "../../domain/rooms/thread-subscriptions.ts";
import { endpoint } from "../endpoint.ts";

/** MSC4306 and MSC4308; neither has a path of its own in the specification yet. */
const PATH =
  "/_matrix/client/unstable/io.element.msc4306/rooms/:roomId/thread/:threadRoot/subscription";
type OfThread = { params: { roomId: string; threadRoot: string } };

const MAX_LIMIT = 1_000;
const LIMIT = 100;

export const getSubscription = endpoint<OfThread>({
  method: "get",
  path: PATH,
  auth: "user",
  async handle(edges, { requester, params }) {
    const { roomId, threadRoot } = params;
    const { userId } = requester;
    const found = await getThreadSubscription(
      edges,
      userId,
      roomId,
      threadRoot,
    );
    return { automatic: found.isAutomatic };
  },
});

export const putSubscription = endpoint<
  OfThread & { body: { automatic?: string } }
>({
  method: "put",
  path: PATH,
  auth: "user",
  suspended: true,
  rateLimit: "other",
  body: { type: "object", properties: { automatic: { type: "string" } } },
  async handle(edges, { requester, params, body }) {
    const { roomId, threadRoot: rootId } = params;
    const { automatic: causeId } = body;
    await subscribeToThread(edges, requester.userId, roomId, {
      rootId,
      ...(causeId !== undefined && { causeId }),
    });
    return {};
  },
});

export const deleteSubscription = endpoint<OfThread>({
  method: "delete",
  path: PATH,
  auth: "user",
  suspended: true,
  rateLimit: "other",
  async handle(edges, { requester, params }) {
    const { roomId, threadRoot } = params;
    await unsubscribeFromThread(edges, requester.userId, roomId, threadRoot);
    return {};
  },
});

export const getThreadSubscriptions = endpoint<{
  query: { dir: "b"; from?: string; to?: string; limit?: number };
}>({
  method: "get",
  path: "/_matrix/client/unstable/io.element.msc4308/thread_subscriptions",
  auth: "user",
  query: {
    type: "object",
    properties: {
      dir: { type: "string", enum: ["b"] },
      from: { type: "string" },
      to: { type: "string" },
      limit: { type: "integer", minimum: 1 },
    },
    required: ["dir"],
  },
  async handle(edges, { requester, query }) {
    const { from, to, limit = LIMIT } = query;
    const place = (token: string, name: string) =>
      positionOf(parsePagingToken(token, name));
    const { changes, moreUpTo } = await readSubscriptionChanges(
      edges,
      requester.userId,
      {
        after: to === undefined ? 0 : place(to, "to"),
        upTo:
          from === undefined ? Number.MAX_SAFE_INTEGER : place(from, "from"),
        limit: Math.min(limit, MAX_LIMIT),
      },
    );
    return {
      ...changes,
      ...(moreUpTo !== null && { end: formatPositionToken(moreUpTo) }),
    };
  },
});
