import { Pool, type Dispatcher } from "undici";

export interface Question {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: object | undefined;
}

export interface Answer {
  /** 0 where there was none; the bytes then say why. */
  readonly status: number;
  readonly bytes: Buffer;
}

/** A first sync of thousands of rooms takes some servers minutes. */
const TIMEOUT_MS = 300_000;

/**
 * One address of a homeserver. Long-polls have connections of their own, so
 * that a send never looks for a free one among a thousand that wait.
 */
export class Http {
  readonly url: string;
  readonly #asking: Pool;
  #polling: Pool;

  constructor(url: string) {
    this.url = url;
    this.#asking = openPool(url);
    this.#polling = openPool(url);
  }

  ask(question: Question): Promise<Answer> {
    return dispatch(this.#asking, question);
  }

  /** Like `ask`, on a connection that `dropPolls` cuts. */
  poll(question: Question): Promise<Answer> {
    return dispatch(this.#polling, question);
  }

  /** Ends every long-poll that waits, without an answer. */
  async dropPolls(): Promise<void> {
    const dropped = this.#polling;
    this.#polling = openPool(this.url);
    await dropped.destroy();
  }

  async close(): Promise<void> {
    await Promise.all([this.#asking.destroy(), this.#polling.destroy()]);
  }
}

const openPool = (url: string): Pool =>
  new Pool(new URL(url).origin, {
    pipelining: 1,
    keepAliveTimeout: 60_000,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });

/** Collects the answer by hand: fetch() costs the shared cores five times as much. */
function dispatch(pool: Pool, question: Question): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let status = 0;
    pool.dispatch(optionsOf(question), {
      onRequestStart: () => undefined,
      onResponseStart(_controller, statusCode) {
        status = statusCode;
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        const [first] = chunks;
        const bytes =
          chunks.length === 1 && first ? first : Buffer.concat(chunks);
        resolve({ status, bytes });
      },
      onResponseError(_controller, error) {
        resolve({ status: 0, bytes: Buffer.from(error.message) });
      },
    });
  });
}

const optionsOf = ({
  method,
  path,
  token,
  body,
}: Question): Dispatcher.DispatchOptions => ({
  method,
  path,
  headers: {
    ...(body !== undefined && { "content-type": "application/json" }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  },
  ...(body !== undefined && { body: JSON.stringify(body) }),
});

export const parseAnswer = <T>({ bytes }: Answer): T =>
  JSON.parse(bytes.toString()) as T;

/** What a question that must succeed was answered. */
export async function must<T>(http: Http, question: Question): Promise<T> {
  const answer = await http.ask(question);
  if (answer.status === 200) return parseAnswer<T>(answer);
  throw refusal(question, answer);
}

export const refusal = ({ method, path }: Question, answer: Answer): Error =>
  new Error(
    `${method} ${path.slice(0, 120)} answered ${answer.status} ${answer.bytes.toString().slice(0, 200)}`,
  );
