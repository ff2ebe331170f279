import type { Edges, PageFacts } from "../../edges.ts";
import { EgressError } from "../../remote/egress-error.ts";
import { fetchOembed } from "./oembed.ts";
import { findOembedAddress } from "./oembed-providers.ts";
import {
  merge,
  readOembed,
  selectOpenGraph,
  type OpenGraph,
} from "./open-graph.ts";
import {
  beginCalls,
  readStart,
  readWhole,
  typeOf,
  type PageCalls,
} from "./page-calls.ts";
import { PageError } from "./page-error.ts";
import {
  fetchImage,
  MAX_IMAGE_BYTES,
  storeImage,
  type StoreImage,
} from "./page-image.ts";

type Needs = Pick<Edges, "egress" | "htmlReader" | "log" | "settings">;

/** What is told of a page as a preview. */
export type Preview = Readonly<Record<string, string | number>>;

const ACCEPT = "text/html,application/xhtml+xml,image/*;q=0.8,*/*;q=0.1";
const PAGES: ReadonlySet<string> = new Set([
  "text/html",
  "application/xhtml+xml",
]);
/** What a page says of itself stands at its beginning. */
const MAX_PAGE_BYTES = 1024 * 1024;

/**
 * Fetches an address and reads what it says of itself. Throws `PageError` or
 * `EgressError` where it cannot be had.
 */
export async function fetchPreview(
  edges: Needs,
  store: StoreImage,
  url: URL,
): Promise<Preview> {
  const calls = beginCalls(edges);
  const provider = findOembedAddress(url);
  const known = provider && (await tryOembed(edges, calls, provider, url));
  if (known) return withImage(edges, calls, store, known);
  const answer = await calls.open(url.href, ACCEPT);
  const type = typeOf(answer);
  if (PAGES.has(type)) {
    const contentType = answer.headers.get("content-type") ?? "";
    const bytes = await readStart(answer, MAX_PAGE_BYTES);
    const facts = await readHtml(edges, bytes, contentType);
    const graph = await completed(edges, calls, facts, new URL(answer.url));
    return withImage(edges, calls, store, graph);
  }
  if (type.startsWith("image/")) {
    return (
      (await storeImage(store, await readWhole(answer, MAX_IMAGE_BYTES))) ?? {}
    );
  }
  answer.close();
  return {};
}

/** What the page says, and where that is little, what its site says elsewhere. */
async function completed(
  edges: Needs,
  calls: PageCalls,
  facts: PageFacts,
  page: URL,
): Promise<OpenGraph> {
  const graph = selectOpenGraph(facts, page);
  const { properties } = facts;
  const isWhole = properties.has("og:title") && properties.has("og:image");
  const link = facts.links.get("oembed");
  if (isWhole || !link || !URL.canParse(link, page.href)) return graph;
  const { href } = new URL(link, page);
  const more = await tryOembed(edges, calls, href, page);
  return more ? merge(more, graph) : graph;
}

/** Undefined where the site gives none: the page itself is there too. */
async function tryOembed(
  edges: Needs,
  calls: PageCalls,
  address: string,
  page: URL,
): Promise<OpenGraph | undefined> {
  try {
    const oembed = await fetchOembed(calls, address);
    const { html } = oembed;
    const piece =
      html === undefined
        ? undefined
        : await readHtml(edges, Buffer.from(html), "text/html; charset=utf-8");
    return readOembed(oembed, piece, page);
  } catch (error) {
    if (!(error instanceof EgressError || error instanceof PageError))
      throw error;
    edges.log.debug({ reason: error.message }, "a site gives no oEmbed");
    return undefined;
  }
}

async function withImage(
  edges: Needs,
  calls: PageCalls,
  store: StoreImage,
  { fields, images }: OpenGraph,
): Promise<Preview> {
  return { ...fields, ...(await fetchImage(edges, calls, store, images)) };
}

async function readHtml(
  { htmlReader }: Pick<Edges, "htmlReader">,
  bytes: Buffer,
  contentType: string,
): Promise<PageFacts> {
  try {
    return await htmlReader.read({ bytes, contentType });
  } catch (cause) {
    throw new PageError("The page could not be read.", { cause });
  }
}
