import { Readable } from "node:stream";
import type { Agent, Dispatcher } from "undici";
import type { Egress, EgressRequest, EgressStream } from "./egress.ts";
import { EgressError, egressErrorOf } from "./egress-error.ts";
import { createGuard, type Guard, type GuardLists } from "./guard.ts";
import { purposes } from "./purposes.ts";
import { readChunks } from "./body-chunks.ts";
import { findRedirect, type Hop } from "./redirect.ts";
import { createResolve, type Resolve } from "./resolve.ts";
import { scanByIcap } from "./scan-by-icap.ts";
import { openSocket } from "./sockets.ts";
import { readIcapTarget, readTarget } from "./target.ts";

export interface EgressOptions extends GuardLists {
  /** DNS unless said. */
  resolve?: Resolve;
}

export interface ClosableEgress extends Egress {
  /** Ends all calls. */
  close(): Promise<void>;
}

export function createEgress({
  allow,
  deny,
  resolve = createResolve(),
}: EgressOptions): ClosableEgress {
  const guard = createGuard({ allow, deny });
  const connections = openWhenNeeded(guard, resolve);
  const closing = new AbortController();
  const open = (wanted: EgressRequest) =>
    openCall(connections.get, guard, wanted);
  return {
    open,
    check({ url, purpose }) {
      readTarget(guard, { purpose }, url);
    },
    async request(wanted) {
      const { status, headers, url, body } = await open(wanted);
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(chunk);
      return { status, headers, url, body: Buffer.concat(chunks) };
    },
    async scan(wanted) {
      const limit = limitTime(purposes.scan.timeoutMs, closing.signal);
      try {
        const target = readIcapTarget(guard, wanted.url);
        const connect = () => openSocket(guard, resolve, target, limit.signal);
        return await scanByIcap({ target, connect }, wanted);
      } catch (error) {
        throw limit.failure() ?? egressErrorOf(error);
      } finally {
        limit.end();
      }
    },
    close() {
      closing.abort();
      return connections.close();
    },
  };
}

/** The HTTP client takes its time and memory, and many servers call nobody. */
function openWhenNeeded(guard: Guard, resolve: Resolve) {
  let opening: Promise<Agent> | undefined;
  let isClosed = false;
  return {
    get(): Promise<Agent> {
      if (isClosed) throw new EgressError("aborted");
      opening ??= import("./connections.ts").then(({ openConnections }) =>
        openConnections(guard, resolve),
      );
      return opening;
    },
    async close(): Promise<void> {
      isClosed = true;
      await (await opening)?.destroy();
    },
  };
}

async function openCall(
  getAgent: () => Promise<Agent>,
  guard: Guard,
  wanted: EgressRequest,
): Promise<EgressStream> {
  const { timeoutMs, maxBytes } = { ...purposes[wanted.purpose], ...wanted };
  const limit = limitTime(timeoutMs, wanted.signal);
  try {
    const agent = await getAgent();
    const { url, answer } = await follow(agent, guard, wanted, limit.signal);
    const headers = headersOf(answer.headers);
    const close = () => {
      limit.end();
      answer.body.destroy();
    };
    if (Number(headers.get("content-length") ?? 0) > maxBytes) {
      close();
      throw new EgressError("large");
    }
    const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
    async function* body() {
      try {
        yield* readChunks(answer.body, coding, maxBytes);
      } catch (error) {
        throw limit.failure() ?? egressErrorOf(error);
      } finally {
        close();
      }
    }
    return {
      status: answer.statusCode,
      headers,
      url: url.href,
      body: body(),
      close,
    };
  } catch (error) {
    limit.end();
    throw limit.failure() ?? egressErrorOf(error);
  }
}

/** Asks, and asks where it is sent to, as often as it may be. */
async function follow(
  agent: Agent,
  guard: Guard,
  wanted: EgressRequest,
  signal: AbortSignal,
) {
  const { method = "GET", body } = wanted;
  const headers = { ...OWN_HEADERS, ...wanted.headers };
  let hop: Hop = {
    url: readTarget(guard, wanted, wanted.url),
    method,
    headers,
    ...(body !== undefined && { body }),
  };
  for (let left = wanted.followRedirects ?? 0; ; left -= 1) {
    const answer = await ask(agent, hop, signal);
    if (left === 0) return { url: hop.url, answer };
    const location = headersOf(answer.headers).get("location");
    const next = findRedirect(hop, answer.statusCode, location, (text, base) =>
      readTarget(guard, wanted, text, base),
    );
    if (!next) return { url: hop.url, answer };
    answer.body.destroy();
    hop = next;
  }
}

const OWN_HEADERS = { "user-agent": "Myelin", "accept-encoding": "gzip" };

async function ask(
  agent: Agent,
  { url, method, headers, body }: Hop,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const answer = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers,
    signal,
    ...(body !== undefined && { body: sendable(body) }),
  });
  // What ends a body that nobody reads is no fault of the process.
  answer.body.on("error", () => undefined);
  return answer;
}

const sendable = (body: NonNullable<EgressRequest["body"]>) =>
  typeof body === "string" || Buffer.isBuffer(body)
    ? body
    : Readable.from(body, { objectMode: false });

function headersOf(
  headers: Dispatcher.ResponseData["headers"],
): ReadonlyMap<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [
          [
            name.toLowerCase(),
            Array.isArray(value) ? value.join(", ") : value,
          ] as const,
        ],
  );
  return new Map(entries);
}

/** One time limit for all of a call, and what a failure within it was. */
function limitTime(ms: number, given: AbortSignal | undefined) {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), ms).unref();
  const end = () => clearTimeout(timer);
  return {
    signal: given ? AbortSignal.any([over.signal, given]) : over.signal,
    end,
    failure(): EgressError | undefined {
      if (over.signal.aborted) return new EgressError("slow");
      return given?.aborted ? new EgressError("aborted") : undefined;
    },
  };
}
