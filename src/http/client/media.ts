import type { ThumbnailMethod } from "../../core/thumbnail.ts";
import { downloadFile } from "../../domain/media/download.ts";
import type { Wanted } from "../../domain/media/find-file.ts";
import { getThumbnail } from "../../domain/media/thumbnail.ts";
import { readOnAccount } from "../../domain/media/traffic.ts";
import type { Requester } from "../../domain/accounts/requester.ts";
import type { Edges } from "../../edges.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { endpoint, type RequestInfo } from "../endpoint.ts";
import { fileReply } from "../file-reply.ts";
import { mediaParams } from "../media-params.ts";

interface MediaParams {
  serverName: string;
  mediaId: string;
}

interface WaitQuery {
  timeout_ms?: number;
}

interface DownloadInput {
  params: MediaParams & { fileName: string };
  query: WaitQuery;
  request: RequestInfo;
}

interface ThumbnailInput {
  params: MediaParams;
  query: WaitQuery & {
    width: number;
    height: number;
    method?: ThumbnailMethod;
    animated?: boolean;
  };
  request: RequestInfo;
}

const DEFAULT_TIMEOUT_MS = 20_000;

const wantedOf = (
  { params, query, request }: DownloadInput | ThumbnailInput,
  isLegacy: boolean,
): Wanted => ({
  serverName: params.serverName,
  mediaId: params.mediaId,
  timeoutMs: query.timeout_ms ?? DEFAULT_TIMEOUT_MS,
  isLegacy,
  signal: () => request.signal,
});

async function download(
  edges: Edges,
  input: DownloadInput & { requester?: Requester },
  isLegacy: boolean,
) {
  const wanted = wantedOf(input, isLegacy);
  const { requester, request } = input;
  const file = await downloadFile(edges, wanted, requester?.userId);
  const { fileName } = input.params;
  const named = fileName === "" ? file : { ...file, fileName };
  if (requester?.messageLimit === null)
    return fileReply(request.headers, named, isLegacy);
  const payer = requester?.userId ?? limitKeyOf(request.ip);
  const read = await readOnAccount(edges, payer, file.read);
  return fileReply(request.headers, { ...named, read }, isLegacy);
}

async function thumbnail(
  edges: Edges,
  input: ThumbnailInput,
  isLegacy: boolean,
) {
  const { animated = false, height, method = "scale", width } = input.query;
  const file = await getThumbnail(edges, {
    ...wantedOf(input, isLegacy),
    ...{ height, method, width, isAnimated: animated },
  });
  return fileReply(input.request.headers, file, isLegacy);
}

const waiting = { timeout_ms: { type: "integer", minimum: 0 } } as const;
/** Of other servers nothing is fetched, and nobody is sent elsewhere. */
const legacy = {
  allow_remote: { type: "boolean" },
  allow_redirect: { type: "boolean" },
} as const;
const image = {
  width: { type: "integer", minimum: 1 },
  height: { type: "integer", minimum: 1 },
  method: { type: "string", enum: ["crop", "scale"] },
  animated: { type: "boolean" },
} as const;
const required = ["width", "height"];

type DownloadShape = Pick<DownloadInput, "params" | "query">;
type ThumbnailShape = Pick<ThumbnailInput, "params" | "query">;

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid */
export const getDownload = endpoint<DownloadShape>({
  method: "get",
  path: "/_matrix/client/v1/media/download/:serverName/:mediaId/:fileName",
  also: ["/_matrix/client/v1/media/download/:serverName/:mediaId"],
  auth: "user",
  guest: true,
  rateLimit: "media",
  ownTurns: "media",
  params: mediaParams,
  query: { type: "object", properties: waiting },
  handle: (edges, input) => download(edges, input, false),
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediathumbnailservernamemediaid */
export const getThumbnailOf = endpoint<ThumbnailShape>({
  method: "get",
  path: "/_matrix/client/v1/media/thumbnail/:serverName/:mediaId",
  auth: "user",
  guest: true,
  rateLimit: "media",
  ownTurns: "media",
  params: mediaParams,
  query: { type: "object", properties: { ...image, ...waiting }, required },
  handle: (edges, input) => thumbnail(edges, input, false),
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3downloadservernamemediaid */
export const getLegacyDownload = endpoint<DownloadShape>({
  method: "get",
  path: "/_matrix/media/v3/download/:serverName/:mediaId/:fileName",
  also: ["/_matrix/media/v3/download/:serverName/:mediaId"],
  auth: "none",
  rateLimit: "media",
  ownTurns: "media",
  params: mediaParams,
  query: { type: "object", properties: { ...waiting, ...legacy } },
  handle: (edges, input) => download(edges, input, true),
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3thumbnailservernamemediaid */
export const getLegacyThumbnail = endpoint<ThumbnailShape>({
  method: "get",
  path: "/_matrix/media/v3/thumbnail/:serverName/:mediaId",
  auth: "none",
  rateLimit: "media",
  ownTurns: "media",
  params: mediaParams,
  query: {
    type: "object",
    properties: { ...image, ...waiting, ...legacy },
    required,
  },
  handle: (edges, input) => thumbnail(edges, input, true),
});
