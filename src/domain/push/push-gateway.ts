import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { readJson } from "../../core/json-reader.ts";
import { EgressError } from "../../remote/egress-error.ts";

const PATH = "/_matrix/push/v1/notify";
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * What became of a notification. `silent`: nobody has answered, so that others who
 * are told by the same gateway need not ask it at the moment.
 */
export type GatewayOutcome = "delivered" | "rejected" | "failed" | "silent";

/**
 * "MUST be an HTTPS URL with a path of `/_matrix/push/v1/notify`", and one that this
 * server may call.
 */
export function assertGateway(
  { egress }: Pick<Edges, "egress">,
  { url }: JsonObject,
): void {
  if (url === undefined)
    throw new MatrixError("M_MISSING_PARAM", `"data.url" is missing.`);
  if (
    typeof url !== "string" ||
    !URL.canParse(url) ||
    new URL(url).pathname !== PATH
  ) {
    throw invalid(`"data.url" must be an https address that ends in ${PATH}.`);
  }
  try {
    egress.check({ url, purpose: "push" });
  } catch {
    throw invalid(
      `"data.url" must be an https address that this server may call.`,
    );
  }
}

const invalid = (message: string) =>
  new MatrixError("M_INVALID_PARAM", message);

/**
 * Tells a gateway. It is asked once and goes nowhere else; whatever it answers is
 * bounded, and only what it says of the pushkey is read.
 * https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify
 */
export async function tellGateway(
  { egress }: Pick<Edges, "egress">,
  url: string,
  pushkey: string,
  notification: JsonObject,
  signal: AbortSignal,
): Promise<GatewayOutcome> {
  try {
    const { status, body } = await egress.request({
      url,
      purpose: "push",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ notification }),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
    if (status < 200 || status > 299) return "failed";
    return rejectedIn(body).includes(pushkey) ? "rejected" : "delivered";
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    const { failure } = error;
    return failure === "slow" || failure === "unreachable"
      ? "silent"
      : "failed";
  }
}

/** The pushkeys that a gateway says are good for nothing any more. */
function rejectedIn(body: Buffer): unknown[] {
  try {
    const answer = readJson(body, { maxBytes: MAX_ANSWER_BYTES });
    const rejected = isJsonObject(answer) ? answer["rejected"] : undefined;
    return Array.isArray(rejected) ? rejected : [];
  } catch {
    return [];
  }
}
