import { escapeHtml } from "../util/html.ts";
import type { Middleware } from "./context.ts";
import { send } from "./send.ts";

export interface LandingOptions {
  serverName: string;
  baseUrl: string;
  registration: "closed" | "open" | "token";
}

const ACCOUNTS: Readonly<Record<LandingOptions["registration"], string>> = {
  closed: "Ask the people who run this server to make one for you.",
  open: "Choose “Create account” in your client.",
  token:
    "Ask the people who run this server for a registration token, then choose “Create account” in your client.",
};

const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
};

/** What a person sees who opens the server's address in a browser. */
export function createLandingPage(options: LandingOptions): Middleware {
  const html = renderLanding(options);
  return (ctx, next) => {
    const { method } = ctx.req;
    const isAsked = method === "GET" || method === "HEAD";
    if (!isAsked || ctx.state.path !== "/") return next();
    send(ctx, { status: 200, headers: HEADERS, body: html });
    return undefined;
  };
}

function renderLanding({
  serverName,
  baseUrl,
  registration,
}: LandingOptions): string {
  const name = escapeHtml(serverName);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${name}</title>
<style>
  :root { color-scheme: light dark; font: 1.1rem/1.6 system-ui, sans-serif; }
  main { max-width: 36rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-size: 1.8rem; line-height: 1.2; overflow-wrap: anywhere; }
  dt { font-weight: 600; margin-top: 1.2rem; }
  dd { margin: 0; }
  code { font-size: 1.05em; overflow-wrap: anywhere; user-select: all; }
</style>
<main>
<h1>${name}</h1>
<p>This is a Matrix homeserver, run with Myelin. People use it to talk, with any Matrix client, such as Element.</p>
<dl>
<dt>The address to type into a client</dt>
<dd><code>${escapeHtml(baseUrl)}</code></dd>
<dt>How to get an account</dt>
<dd>${ACCOUNTS[registration]}</dd>
<dt>User ids here look like this</dt>
<dd><code>@name:${name}</code></dd>
</dl>
</main>
</html>
`;
}
