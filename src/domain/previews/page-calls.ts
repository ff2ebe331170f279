import { essenceOf } from "../../core/media-type.ts";
import type { Edges } from "../../edges.ts";
import type { EgressStream } from "../../remote/egress.ts";
import { PageError } from "./page-error.ts";
import { mayPreview } from "./url-patterns.ts";

/** For all that makes one preview: the page, what it embeds, its image. */
const PATIENCE_MS = 10_000;
const MOST_HOPS = 5;
const USER_AGENT = "Myelin (bot; previews of links in Matrix rooms)";

/** The calls of one preview, within one time limit, each held to the lists. */
export interface PageCalls {
  /** An answer of status 200; throws `PageError` for any other. */
  open(url: string, accept: string): Promise<EgressStream>;
}

export function beginCalls({
  egress,
  settings,
}: Pick<Edges, "egress" | "settings">): PageCalls {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const { acceptLanguage, ...lists } = settings.urlPreviews;
  return {
    async open(url, accept) {
      const answer = await egress.open({
        url,
        purpose: "preview",
        headers: {
          accept,
          "accept-language": acceptLanguage,
          "user-agent": USER_AGENT,
        },
        // Whoever reads stops where enough is read.
        maxBytes: Infinity,
        timeoutMs: PATIENCE_MS,
        followRedirects: MOST_HOPS,
        mayCall: (hop) => mayPreview(lists, hop),
        signal,
      });
      if (answer.status === 200) return answer;
      answer.close();
      throw new PageError(`The page answered ${answer.status}.`);
    },
  };
}

/** The content type of an answer, without its parameters. */
export const typeOf = ({ headers }: EgressStream): string =>
  essenceOf(headers.get("content-type") ?? "");

/** The first so many bytes of a body. */
export async function readStart(
  { body, close }: EgressStream,
  bytes: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bytes) break;
  }
  close();
  return Buffer.concat(chunks).subarray(0, bytes);
}

/** A whole body; throws `PageError` where it is longer. */
export async function readWhole(
  stream: EgressStream,
  most: number,
): Promise<Buffer> {
  const bytes = await readStart(stream, most + 1);
  if (bytes.length <= most) return bytes;
  throw new PageError("What the page names is too large.");
}
