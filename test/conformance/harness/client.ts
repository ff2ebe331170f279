import { isObject, type JsonObject } from "./json.ts";

export interface Answer {
  status: number;
  /** The JSON object of the answer; empty when the answer is none (see `raw`). */
  body: JsonObject;
  raw: string;
  /** What `raw` was read from: a file is not text. */
  bytes: Buffer;
  headers: Headers;
}

export interface RequestOptions {
  query?: Record<string, string | number | boolean | undefined> | undefined;
  /** JSON unless it is a Uint8Array, which is sent as it is. */
  body?: unknown;
  /** Sent as the bearer token; null sends none. */
  token?: string | null | undefined;
  headers?: Record<string, string>;
}

/** Builds a path, percent-encoding each inserted value: path`/rooms/${roomId}/leave`. */
export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

const ABSOLUTE = /^\/(_matrix|_synapse|_myelin|\.well-known|health)(\/|$)/;

/** Paths that name no API are of the client-server API's v3. */
function urlOf(
  base: string,
  target: string,
  query: RequestOptions["query"],
): string {
  const absolute = ABSOLUTE.test(target)
    ? target
    : `/_matrix/client/v3${target}`;
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {}))
    if (value !== undefined) params.set(key, String(value));
  const search = params.size > 0 ? `?${params}` : "";
  return base + absolute + search;
}

function parse(raw: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(raw);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function encode(body: unknown) {
  if (body === undefined) return null;
  return body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body);
}

/** Says what was asked and answered, for the message of a failed check. */
const told = (method: string, target: string, answer: Answer) =>
  `${method} ${target} answered ${answer.status} ${answer.raw.slice(0, 500)}`;

export class Client {
  readonly baseUrl: string;
  readonly token: string | undefined;

  constructor(baseUrl: string, token?: string) {
    this.baseUrl = baseUrl;
    this.token = token;
  }

  async request(
    method: string,
    target: string,
    options: RequestOptions = {},
  ): Promise<Answer> {
    const token = options.token === undefined ? this.token : options.token;
    const body = encode(options.body);
    const response = await fetch(urlOf(this.baseUrl, target, options.query), {
      method,
      body,
      headers: {
        ...(body === null ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...options.headers,
      },
      signal: AbortSignal.timeout(60_000),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const raw = bytes.toString("utf8");
    const { status, headers } = response;
    return { status, body: parse(raw), raw, bytes, headers };
  }

  get(target: string, query?: RequestOptions["query"]): Promise<Answer> {
    return this.request("GET", target, { query });
  }

  put(target: string, body: unknown = {}): Promise<Answer> {
    return this.request("PUT", target, { body });
  }

  post(target: string, body: unknown = {}): Promise<Answer> {
    return this.request("POST", target, { body });
  }

  delete(target: string, body?: unknown): Promise<Answer> {
    return this.request("DELETE", target, { body });
  }

  /** As `request`, but any answer except 200 is an error; returns the body. */
  async must(
    method: string,
    target: string,
    options: RequestOptions = {},
  ): Promise<JsonObject> {
    const answer = await this.request(method, target, options);
    if (answer.status !== 200) throw new Error(told(method, target, answer));
    return answer.body;
  }

  mustGet(
    target: string,
    query?: RequestOptions["query"],
  ): Promise<JsonObject> {
    return this.must("GET", target, { query });
  }

  mustPut(target: string, body: unknown = {}): Promise<JsonObject> {
    return this.must("PUT", target, { body });
  }

  mustPost(target: string, body: unknown = {}): Promise<JsonObject> {
    return this.must("POST", target, { body });
  }

  mustDelete(target: string, body?: unknown): Promise<JsonObject> {
    return this.must("DELETE", target, { body });
  }
}

/** Checks that a request was refused with this status and, where given, this errcode. */
export function expectError(
  answer: Answer,
  status: number,
  errcode?: string,
): void {
  const found = answer.body["errcode"];
  if (answer.status !== status || (errcode && found !== errcode))
    throw new Error(
      `expected ${status} ${errcode ?? ""}, got ${answer.status} ${answer.raw.slice(0, 500)}`,
    );
  if (typeof found !== "string")
    throw new Error(`an error without errcode: ${answer.raw.slice(0, 500)}`);
}
