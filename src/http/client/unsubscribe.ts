import {
  parseUnsubscribeToken,
  unsubscribe,
} from "../../domain/push/unsubscribe.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

const PATH = "/_myelin/client/v1/unsubscribe";

const query = {
  type: "object",
  required: ["token"],
  properties: { token: { type: "string" } },
};

type Shape = { query: { token: string } };

/** Asks first: what looks through mails opens the links in them. */
export const getUnsubscribe = endpoint<Shape>({
  method: "get",
  path: PATH,
  auth: "none",
  rateLimit: "other",
  query,
  async handle({ settings }, { query: { token } }) {
    parseUnsubscribeToken(settings, token);
    return page(
      `<form method="post"><button>Send no more mails · 不再接收邮件</button></form>`,
    );
  },
});

/** One request ends the mails (RFC 8058). */
export const postUnsubscribe = endpoint<Shape>({
  method: "post",
  path: PATH,
  auth: "none",
  rateLimit: "other",
  query,
  async handle(edges, { query: { token } }) {
    await unsubscribe(edges, token);
    return page("<p>No more mails are sent. · 不再发送邮件。</p>");
  },
});

const page = (content: string) =>
  reply({
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy":
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      "Referrer-Policy": "no-referrer",
    },
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Mails</title>
<main>${content}</main>
</html>
`,
  });
