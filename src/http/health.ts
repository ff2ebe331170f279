import type { Middleware } from "./context.ts";

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
  return async (ctx, next) => {
    const isAsked = ctx.method === "GET" || ctx.method === "HEAD";
    if (isAsked && ctx.state.path === "/health/live") {
      ctx.body = { status: "live" };
    } else if (isAsked && ctx.state.path === "/health/ready") {
      const ready = await ask();
      ctx.status = ready ? 200 : 503;
      ctx.body = { status: ready ? "ready" : "not ready" };
    } else {
      await next();
    }
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
