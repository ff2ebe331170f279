import { MatrixError } from "../../core/errors.ts";
import {
  endRendezvous,
  getRendezvous,
  openRendezvous,
  writeRendezvous,
  type Rendezvous,
} from "../../domain/encryption/rendezvous.ts";
import { endpoint, type RequestInfo } from "../endpoint.ts";
import { assertNoNavigation } from "../navigation.ts";
import { reply } from "../reply.ts";

const PATH = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";
const SESSION = `${PATH}/:rendezvousId`;

type OneSession = { params: { rendezvousId: string } };
type Headers = RequestInfo["headers"];

const MAX_BYTES = 4096;

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4108 */
export const postTextRendezvous = endpoint<{ body: Buffer }>({
  method: "post",
  path: PATH,
  auth: "none",
  rateLimit: "rendezvous",
  takesBytes: true,
  maxBodyBytes: MAX_BYTES,
  async handle(edges, { body, request }) {
    assertText(request.headers);
    const opened = await openRendezvous(edges, "msc4108", body);
    const { serverName, publicBaseUrl = `https://${serverName}` } =
      edges.settings;
    return reply({
      status: 201,
      headers: headersOf(opened),
      body: { url: `${publicBaseUrl}${PATH}/${opened.id}` },
    });
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4108 */
export const getTextRendezvous = endpoint<OneSession>({
  method: "get",
  path: SESSION,
  auth: "none",
  rateLimit: "other",
  async handle(edges, { params, request }) {
    assertNoNavigation(request.headers);
    const session = await getRendezvous(edges, "msc4108", params.rendezvousId);
    const headers = headersOf(session);
    if (request.headers["if-none-match"] === headers.ETag)
      return reply({ status: 304, headers, body: "" });
    return reply({
      headers: { ...headers, "Content-Type": "text/plain" },
      body: Buffer.from(session.payload),
    });
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4108 */
export const putTextRendezvous = endpoint<OneSession & { body: Buffer }>({
  method: "put",
  path: SESSION,
  auth: "none",
  rateLimit: "other",
  takesBytes: true,
  maxBodyBytes: MAX_BYTES,
  async handle(edges, { params, body, request }) {
    assertText(request.headers);
    const session = await writeRendezvous(
      edges,
      "msc4108",
      params.rendezvousId,
      revisionIn(request.headers),
      body,
    );
    const headers = headersOf(session);
    if (session.isWritten) return reply({ status: 202, headers, body: "" });
    return reply({
      status: 412,
      headers,
      body: {
        errcode: "M_UNKNOWN",
        "org.matrix.msc4108.errcode": "M_CONCURRENT_WRITE",
        error: "Somebody else has written meanwhile.",
      },
    });
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4108 */
export const deleteTextRendezvous = endpoint<OneSession>({
  method: "delete",
  path: SESSION,
  auth: "none",
  rateLimit: "other",
  async handle(edges, { params }) {
    await endRendezvous(edges, "msc4108", params.rendezvousId);
    return reply({ status: 204, body: "" });
  },
});

const headersOf = ({ revision, modifiedTs, expiresTs }: Rendezvous) => ({
  ETag: `"${revision}"`,
  Expires: new Date(expiresTs).toUTCString(),
  "Last-Modified": new Date(modifiedTs).toUTCString(),
  Pragma: "no-cache",
});

function assertText(headers: Headers): void {
  const type = headers["content-type"];
  if (type === undefined || headers["content-length"] === undefined) {
    throw new MatrixError(
      "M_MISSING_PARAM",
      "A Content-Type and a Content-Length are needed.",
    );
  }
  if (!/^text\/plain *(?:;|$)/i.test(String(type))) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "The Content-Type must be text/plain.",
    );
  }
}

function revisionIn(headers: Headers): string {
  const tag = headers["if-match"];
  if (tag === undefined)
    throw new MatrixError("M_MISSING_PARAM", "An If-Match is needed.");
  const [, revision] = /^"([\x21\x23-\x7e]+)"$/.exec(String(tag)) ?? [];
  if (revision !== undefined) return revision;
  throw new MatrixError(
    "M_INVALID_PARAM",
    "If-Match must be one strong entity tag.",
  );
}
