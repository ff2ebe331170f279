import type { IncomingMessage } from "node:http";
import type { Asker, Edges, Log } from "../../edges.ts";
import type {
  Exchange,
  Middleware,
  Recording,
  RequestState,
} from "../context.ts";
import type { AnyInput } from "../endpoint.ts";
import { fieldsOf } from "../error-fields.ts";
import { inputOf } from "../input-of.ts";
import type { Refuse } from "../refuse.ts";
import { isReply, type Reply } from "../reply.ts";
import { send } from "../send.ts";
import { streamBytes } from "../stream-bytes.ts";
import { streamText } from "../stream-text.ts";
import { derive } from "../../util/derive.ts";

/** Calls the endpoint and sends its answer, or its refusal; it never rejects. */
export function handle(
  edgesNow: (waitedMs: number, asker: Asker) => Edges,
  bodyIdleMs: number,
  { log, refuse }: { log: Log; refuse: Refuse },
): Middleware {
  const begin = (exchange: Exchange) => {
    const { state } = exchange;
    const input = inputOf(exchange, bodyIdleMs);
    const { recording } = state;
    // What a request touches stands in its record, which is written last.
    if (!recording) state.handOver();
    if (state.route.endpoint.longPoll) letHeadersGo(exchange.req);
    try {
      const { ip, requester = { userId: "", deviceId: "", ip } } = state;
      const edges = seenBy(edgesNow(state.waitedMs, requester), state);
      return recording
        ? recorded(recording, ask(state, carrying(edges, recording), input))
        : ask(state, edges, input);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  };
  // While it waits this holds the exchange, and no frame of an async function.
  return ({ req, res, state }) => {
    const exchange = { req, res, state };
    // Nobody waits for it any more, and it may be of before a stall.
    if (req.socket.destroyed) return Promise.resolve();
    return begin(exchange)
      .then((answer) => deliver(exchange, answer, log))
      .catch((error: unknown) => refuse(exchange, error));
  };
}

/** They have been read, browsers send a kilobyte of them, and many wait for long. */
function letHeadersGo(req: IncomingMessage): void {
  req.rawHeaders = [];
  req.headers = {};
}

/** The edges of a request, which tell where an administrator acts as somebody else. */
function seenBy(edges: Edges, { requester }: RequestState): Edges {
  return requester?.actedBy === undefined
    ? edges
    : derive(edges, { actingDevice: requester.deviceId });
}

function ask(
  { requester, route: { endpoint } }: RequestState,
  edges: Edges,
  input: AnyInput,
): Promise<object | Reply> {
  const pretended = requester?.isShadowBanned
    ? endpoint.pretend?.(edges, input)
    : undefined;
  return pretended === undefined
    ? endpoint.handle(edges, input)
    : Promise.resolve(pretended);
}

/** The same edges, whose first write that commits carries the request's record. */
function carrying(plain: Edges, { trail }: Recording): Edges {
  trail.begin(plain.committer);
  return derive(plain, { committer: trail.carrying, trail });
}

/** Has the record written before anybody is told what came of the request. */
async function recorded(
  recording: Recording,
  answering: Promise<object | Reply>,
): Promise<object | Reply> {
  let answer;
  try {
    answer = await answering;
  } catch (error) {
    await recording.refused(error);
    throw error;
  }
  await recording.answered(answer);
  return answer;
}

/** Serialises an answer, once. */
function deliver(
  exchange: Exchange,
  answer: object | Reply,
  log: Log,
): Promise<void> | void {
  if (!isReply(answer))
    return send(exchange, { status: 200, body: JSON.stringify(answer) });
  const onFault = (error: unknown) => {
    log.error(fieldsOf(exchange, error), "an answer broke off");
  };
  if (answer.file) return deliverFile(exchange, answer, answer.file, onFault);
  const { status, headers, body, rest } = answer;
  const text =
    typeof body === "string" || Buffer.isBuffer(body)
      ? body
      : JSON.stringify(body);
  const whole =
    rest === undefined ? text : streamText(String(text), rest, onFault);
  send(exchange, { status, headers, body: whole });
}

async function deliverFile(
  exchange: Exchange,
  { status, headers }: Reply,
  file: NonNullable<Reply["file"]>,
  onFault: (error: unknown) => void,
): Promise<void> {
  const isAsked = exchange.req.method !== "HEAD";
  const body = isAsked ? { body: await streamBytes(file(), onFault) } : {};
  send(exchange, { status, headers, ...body });
}
