import type { IncomingMessage } from "node:http";
import { ClientGone, HttpError } from "./http-error.ts";

export interface BodyLimits {
  maxBytes: number;
  /** How long a client may send nothing, in ms. */
  idleMs: number;
}

/** The whole body, refused before it is held once it passes the cap. */
export function readBody(
  req: IncomingMessage,
  { maxBytes, idleMs }: BodyLimits,
): Promise<Buffer> {
  // A length that the parser let pass is a number; the bytes are counted too.
  if (Number(req.headers["content-length"] ?? 0) > maxBytes) {
    return Promise.reject(tooLarge(maxBytes));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const idle = setTimeout(() => settle(tooSlow()), idleMs);
    const onData = (chunk: Buffer) => {
      idle.refresh();
      size += chunk.length;
      if (size > maxBytes) settle(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = () => settle(undefined);
    const onGone = () => settle(new ClientGone());
    const settle = (error: Error | undefined) => {
      clearTimeout(idle);
      req.off("data", onData).off("end", onEnd);
      req.off("error", onGone).off("close", onGone);
      // An error after this one must not end the process.
      req.on("error", () => undefined);
      if (error) reject(error);
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    };
    req.on("data", onData).on("end", onEnd);
    req.on("error", onGone).on("close", onGone);
  });
}

/** The body as it arrives; whoever limits its size counts it. */
export async function* streamBody(
  req: IncomingMessage,
  idleMs: number,
): AsyncGenerator<Buffer> {
  // What is refused half-way is answered, and then ends with its connection.
  const chunks: AsyncIterator<Buffer> = req.iterator({
    destroyOnReturn: false,
  });
  req.on("error", () => undefined);
  let late = (): void => undefined;
  const idle = setTimeout(() => late(), idleMs);
  try {
    for (;;) {
      // The time between two of them alone counts, not what becomes of them.
      const isLate = new Promise<undefined>((resolve) => {
        late = () => resolve(undefined);
      });
      idle.refresh();
      const asked = chunks.next().catch(() => "gone" as const);
      const next = await Promise.race([asked, isLate]);
      if (next === undefined) throw tooSlow();
      if (next === "gone") throw new ClientGone();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    clearTimeout(idle);
    chunks.return?.().catch(() => undefined);
    await linger(req);
  }
}

const LINGER_MS = 1000;
const LINGER_BYTES = 1024 * 1024;

/**
 * Takes a little of what is left of a body that is refused: a connection that ends
 * with bytes unread takes the answer with it.
 */
function linger(req: IncomingMessage): Promise<void> {
  if (req.complete || req.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let left = LINGER_BYTES;
    const stop = () => {
      clearTimeout(timer);
      req.off("data", onData).off("end", stop).off("close", stop).pause();
      resolve();
    };
    const onData = (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) stop();
    };
    const timer = setTimeout(stop, LINGER_MS);
    req.on("data", onData).on("end", stop).on("close", stop).resume();
  });
}

// What is left of the body is not read, so the connection cannot be used again.
const close = { Connection: "close" };

const tooLarge = (maxBytes: number): HttpError =>
  new HttpError(
    413,
    "M_TOO_LARGE",
    `The body must not be larger than ${maxBytes} bytes.`,
    close,
  );

const tooSlow = (): HttpError =>
  new HttpError(408, "M_UNKNOWN", "The body took too long to arrive.", close);
