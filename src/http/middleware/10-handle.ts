import type { Edges } from "../../edges.ts";
import type { Context, Middleware } from "../context.ts";
import { streamBody } from "../body.ts";
import type { AnyInput, RequestInfo } from "../endpoint.ts";
import { fieldsOf } from "../error-fields.ts";
import { ClientGone } from "../http-error.ts";
import { isReply } from "../reply.ts";
import { streamBytes } from "../stream-bytes.ts";
import { streamText } from "../stream-text.ts";

/** Calls the endpoint and serialises its answer, once. */
export function handle(
  edgesNow: (waitedMs: number) => Edges,
  bodyIdleMs: number,
): Middleware {
  return async (ctx) => {
    const { state } = ctx;
    // Nobody waits for it any more, and it may be of before a stall.
    if (ctx.req.socket.destroyed) throw new ClientGone();
    const input: AnyInput = {
      params: state.params,
      query: state.queryValues,
      body: state.body,
      request: requestInfo(ctx, bodyIdleMs),
      ...(state.requester && { requester: state.requester }),
      ...(state.actor && { actor: state.actor }),
    };
    const edges = edgesNow(state.waitedMs ?? 0);
    const { endpoint } = state.route;
    const pretended = state.requester?.isShadowBanned
      ? endpoint.pretend?.(edges, input)
      : undefined;
    const answer = pretended ?? (await endpoint.handle(edges, input));
    const isOwn = isReply(answer);
    const onFault = (error: unknown) => {
      edges.log.error(fieldsOf(ctx, error), "an answer broke off");
    };
    if (isOwn && answer.file) {
      ctx.status = answer.status;
      if (ctx.method !== "HEAD")
        ctx.body = await streamBytes(answer.file(), onFault);
      ctx.set({ ...answer.headers });
      return;
    }
    const body = isOwn ? answer.body : answer;
    ctx.status = isOwn ? answer.status : 200;
    ctx.type = "application/json";
    if (isOwn) ctx.set({ ...answer.headers });
    const text =
      typeof body === "string" || Buffer.isBuffer(body)
        ? body
        : JSON.stringify(body);
    const rest = isOwn ? answer.rest : undefined;
    ctx.body =
      rest === undefined ? text : streamText(String(text), rest, onFault);
  };
}

function requestInfo(
  { req, res, state }: Context,
  bodyIdleMs: number,
): RequestInfo {
  let controller: AbortController | undefined;
  return {
    ip: state.ip,
    id: state.requestId,
    userAgent: req.headers["user-agent"] ?? "",
    headers: req.headers,
    content: () => streamBody(req, bodyIdleMs),
    // Made when asked for: few handlers wait long enough to need it.
    get signal() {
      if (controller === undefined) {
        const made = (controller = new AbortController());
        if (res.destroyed) made.abort();
        else
          res.once("close", () => {
            // An abort is costly, and an answer that has left needs none.
            if (!res.writableFinished) made.abort();
          });
      }
      return controller.signal;
    },
  };
}
