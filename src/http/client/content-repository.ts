import { mxcOf } from "../../core/mxc.ts";
import { createPending } from "../../domain/media/pending.ts";
import {
  uploadFile,
  uploadTo,
  type Upload,
} from "../../domain/media/upload.ts";
import { MatrixError } from "../../core/errors.ts";
import { endpoint, type RequestInfo } from "../endpoint.ts";
import { mediaParams } from "../media-params.ts";

const query = {
  type: "object",
  properties: { filename: { type: "string", maxLength: 1024 } },
} as const;

interface UploadQuery {
  filename?: string;
}

const uploadOf = (request: RequestInfo, { filename }: UploadQuery): Upload => {
  const { "content-type": type, "content-length": length } = request.headers;
  return {
    contentType: typeof type === "string" ? type : undefined,
    fileName: filename === "" ? undefined : filename,
    length: typeof length === "string" ? Number(length) : undefined,
    content: request.content(),
  };
};

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload */
export const postUpload = endpoint<{ query: UploadQuery }>({
  method: "post",
  path: "/_matrix/media/v3/upload",
  auth: "user",
  rateLimit: "upload",
  ownTurns: "upload",
  query,
  async handle(edges, { requester, request, query }) {
    const upload = uploadOf(request, query);
    const mediaId = await uploadFile(edges, requester.userId, upload);
    return { content_uri: mxcOf(edges.settings.serverName, mediaId) };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixmediav3uploadservernamemediaid */
export const putUpload = endpoint<{
  params: { serverName: string; mediaId: string };
  query: UploadQuery;
}>({
  method: "put",
  path: "/_matrix/media/v3/upload/:serverName/:mediaId",
  auth: "user",
  rateLimit: "upload",
  ownTurns: "upload",
  params: mediaParams,
  query,
  async handle(edges, { requester, params, request, query }) {
    const { mediaId, serverName } = params;
    if (serverName !== edges.settings.serverName)
      throw new MatrixError("M_NOT_FOUND", "That is not this server's name.");
    const upload = uploadOf(request, query);
    await uploadTo(edges, requester.userId, mediaId, upload);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav1create */
export const postCreateMedia = endpoint({
  method: "post",
  path: "/_matrix/media/v1/create",
  auth: "user",
  rateLimit: "upload",
  async handle(edges, { requester }) {
    const { userId } = requester;
    const { expiresTs, mediaId } = await createPending(edges, userId);
    return {
      content_uri: mxcOf(edges.settings.serverName, mediaId),
      unused_expires_at: expiresTs,
    };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediaconfig */
export const getMediaConfig = endpoint({
  method: "get",
  path: "/_matrix/client/v1/media/config",
  auth: "user",
  guest: true,
  rateLimit: "other",
  async handle({ settings }) {
    return { "m.upload.size": settings.media.maxUploadBytes };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3config */
export const getLegacyMediaConfig = endpoint({
  method: "get",
  path: "/_matrix/media/v3/config",
  auth: "user",
  guest: true,
  rateLimit: "other",
  async handle({ settings }) {
    return { "m.upload.size": settings.media.maxUploadBytes };
  },
});
