import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import { EgressError } from "../../remote/egress-error.ts";
import type { Requester } from "../accounts/requester.ts";
import { fetchOnce } from "./fetch-once.ts";
import { fetchPreview, type Preview } from "./fetch-preview.ts";
import { findKept, hashUrl, keep, type KeptPreview } from "./kept-previews.ts";
import { PageError } from "./page-error.ts";
import { imageStoreOf } from "./image-store.ts";
import { mayPreview } from "./url-patterns.ts";

type Needs = Pick<
  Edges,
  | "db"
  | "egress"
  | "htmlReader"
  | "keyring"
  | "log"
  | "mediaStore"
  | "memory"
  | "now"
  | "random"
  | "settings"
>;

const MAX_LENGTH = 8192;

/**
 * What a page says of itself, at a time if that is known.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url
 */
export async function previewUrl(
  edges: Needs,
  { userId }: Pick<Requester, "userId">,
  text: string,
  ts?: number,
): Promise<Preview> {
  const { urlPreviews, password } = edges.settings;
  if (!urlPreviews.enabled) throw forbidden("URL previews are switched off.");
  const url = readUrl(text);
  if (!mayPreview(urlPreviews, url))
    throw forbidden("This address may not be previewed.");
  const urlHash = hashUrl(password.pepper, url);
  const now = edges.now();
  const found =
    (await findKept(edges, urlHash, Math.min(ts ?? now, now))) ??
    (await fetchOnce(edges, urlHash, async () => {
      const fetched = await tryFetch(edges, userId, url);
      await keep(edges, userId, urlHash, fetched);
      return fetched;
    }));
  if (found.preview) return found.preview;
  // Whether it is denied, absent or silent is nothing that a stranger may find out by us.
  throw new MatrixError("M_UNKNOWN", "The page could not be read.");
}

async function tryFetch(
  edges: Needs,
  userId: string,
  url: URL,
): Promise<KeptPreview> {
  try {
    const store = imageStoreOf(edges, userId);
    return { preview: await fetchPreview(edges, store, url) };
  } catch (error) {
    if (!(error instanceof EgressError || error instanceof PageError))
      throw error;
    edges.log.debug({ reason: error.message }, "a page makes no preview");
    return { preview: undefined };
  }
}

function readUrl(text: string): URL {
  const url = text.length <= MAX_LENGTH && URL.canParse(text) && new URL(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new MatrixError("M_INVALID_PARAM", "That is no web address.");
  }
  url.hash = "";
  return url;
}

const forbidden = (message: string): MatrixError =>
  new MatrixError("M_FORBIDDEN", message);
