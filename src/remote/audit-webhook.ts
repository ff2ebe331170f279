import type { AuditSink } from "../util/audit-sinks.ts";
import type { Egress } from "./egress.ts";

/** An address that records are posted to, as one JSON object of them. */
export const createAuditWebhook = (
  egress: Pick<Egress, "request">,
  url: string,
  token: string | undefined,
): AuditSink => ({
  name: `webhook ${url}`,
  async take(lines) {
    const { status } = await egress.request({
      ...{ url, purpose: "audit", method: "POST" },
      headers: {
        "content-type": "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: `{"records":[${lines.map(({ text }) => text).join(",")}]}`,
    });
    if (status < 200 || status > 299)
      throw new Error(`The webhook answered ${status}.`);
  },
});
