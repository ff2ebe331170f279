import { MatrixError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { readJson } from "../../core/json-reader.ts";
import { readWhole, type PageCalls } from "./page-calls.ts";
import { PageError } from "./page-error.ts";

const MAX_BYTES = 256 * 1024;

/** What a page's server says of it; https://oembed.com */
export interface Oembed {
  title?: string;
  author?: string;
  provider?: string;
  /** What there is to see: the picture, or a smaller one of the rest. */
  image?: string;
  /** A piece of a page that stands for it. */
  html?: string;
}

/** Throws `PageError` or `EgressError` where there is none. */
export async function fetchOembed(
  calls: PageCalls,
  url: string,
): Promise<Oembed> {
  const answer = await calls.open(url, "application/json");
  const said = readSaid(await readWhole(answer, MAX_BYTES));
  const text = (name: string): string | undefined => {
    const value = said[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const type = text("type");
  const found = {
    title: text("title"),
    author: text("author_name"),
    provider: text("provider_name"),
    image: type === "photo" ? text("url") : text("thumbnail_url"),
    html: type === "rich" ? text("html") : undefined,
  };
  return Object.fromEntries(
    Object.entries(found).filter(([, value]) => value !== undefined),
  );
}

function readSaid(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const said = readJson(bytes, { maxBytes: MAX_BYTES, maxDepth: 20 });
    if (isJsonObject(said)) return said;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
  }
  throw new PageError("That is no oEmbed.");
}
