import type { Context, Middleware } from "./context.ts";
import { send } from "./send.ts";

const LIVE = JSON.stringify({ status: "live" });
/** Whoever asks wants to know soon: what is slower than this is not ready. */
const LONGEST_MS = 2000;

/**
 * `/health/live`: the process answers. `/health/ready`: it can serve, as
 * `isReady` says; a check that throws or takes too long means no. It is asked
 * once at a time, however many want to know.
 */
export function createHealthRoutes(
  isReady: () => Promise<boolean>,
  longestMs = LONGEST_MS,
): Middleware {
  let asked: Promise<boolean> | undefined;
  const ask = (): Promise<boolean> => {
    asked ??= isReady()
      .catch(() => false)
      .finally(() => (asked = undefined));
    return within(longestMs, asked);
  };
  const tell = async (ctx: Context): Promise<void> => {
    const ready = await ask();
    const body = JSON.stringify({ status: ready ? "ready" : "not ready" });
    send(ctx, { status: ready ? 200 : 503, body });
  };
  return (ctx, next) => {
    const { path } = ctx.state;
    const { method } = ctx.req;
    const isAsked = method === "GET" || method === "HEAD";
    if (isAsked && path === "/health/ready") return tell(ctx);
    if (!isAsked || path !== "/health/live") return next();
    send(ctx, { status: 200, body: LIVE });
    return undefined;
  };
}

async function within(ms: number, answer: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
