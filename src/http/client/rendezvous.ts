import { MatrixError } from "../../core/errors.ts";
import {
  assertRendezvousEnabled,
  endRendezvous,
  getRendezvous as readRendezvous,
  openRendezvous,
  writeRendezvous,
} from "../../domain/encryption/rendezvous.ts";
import { endpoint } from "../endpoint.ts";
import { assertNoNavigation } from "../navigation.ts";
import { reply } from "../reply.ts";

const PATH = "/_matrix/client/unstable/io.element.msc4388/rendezvous";
const SESSION = `${PATH}/:rendezvousId`;

type OneSession = { params: { rendezvousId: string } };

const MOST_CHARACTERS = 4096;
/** A character of the body may be an escaped pair of surrogates. */
const MAX_BYTES = 12 * MOST_CHARACTERS + 1024;

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4388 */
export const getRendezvousAvailable = endpoint({
  method: "get",
  path: PATH,
  auth: "optional",
  rateLimit: "other",
  async handle(edges) {
    assertRendezvousEnabled(edges);
    return { create_available: true };
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4388 */
export const postRendezvous = endpoint<{ body: { data: string } }>({
  method: "post",
  path: PATH,
  auth: "optional",
  rateLimit: "rendezvous",
  maxBodyBytes: MAX_BYTES,
  body: {
    type: "object",
    required: ["data"],
    properties: { data: { type: "string" } },
  },
  async handle(edges, { body }) {
    const payload = payloadOf(body.data);
    const opened = await openRendezvous(edges, "msc4388", payload);
    const { id, revision, expiresTs } = opened;
    return { id, sequence_token: revision, ...endOf(expiresTs, edges.now()) };
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4388 */
export const getRendezvous = endpoint<OneSession>({
  method: "get",
  path: SESSION,
  auth: "none",
  rateLimit: "other",
  async handle(edges, { params, request }) {
    assertNoNavigation(request.headers);
    const { payload, revision, expiresTs } = await readRendezvous(
      edges,
      "msc4388",
      params.rendezvousId,
    );
    return {
      data: Buffer.from(payload).toString(),
      sequence_token: revision,
      ...endOf(expiresTs, edges.now()),
    };
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4388 */
export const putRendezvous = endpoint<
  OneSession & { body: { sequence_token: string; data: string } }
>({
  method: "put",
  path: SESSION,
  auth: "none",
  rateLimit: "other",
  maxBodyBytes: MAX_BYTES,
  body: {
    type: "object",
    required: ["sequence_token", "data"],
    properties: {
      sequence_token: { type: "string" },
      data: { type: "string" },
    },
  },
  async handle(edges, { params, body }) {
    const { isWritten, revision } = await writeRendezvous(
      edges,
      "msc4388",
      params.rendezvousId,
      body.sequence_token,
      payloadOf(body.data),
    );
    if (isWritten) return { sequence_token: revision };
    const error = "Somebody else has written meanwhile.";
    return reply({
      status: 409,
      body: { errcode: "IO_ELEMENT_MSC4388_CONCURRENT_WRITE", error },
    });
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4388 */
export const deleteRendezvous = endpoint<OneSession>({
  method: "delete",
  path: SESSION,
  auth: "none",
  rateLimit: "other",
  async handle(edges, { params }) {
    await endRendezvous(edges, "msc4388", params.rendezvousId);
    return {};
  },
});

function payloadOf(data: string): Buffer {
  if ([...data].length <= MOST_CHARACTERS) return Buffer.from(data);
  throw new MatrixError(
    "M_TOO_LARGE",
    `The data have at most ${MOST_CHARACTERS} characters.`,
  );
}

/** Earlier texts of the proposal name the time, later ones what is left of it. */
const endOf = (expiresTs: number, nowTs: number) => ({
  expires_ts: expiresTs,
  expires_in_ms: expiresTs - nowTs,
});
