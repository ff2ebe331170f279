import { getRoomSummary } from "../../domain/directory/room-summary.ts";
import { endpoint } from "../endpoint.ts";

const UNSTABLE = "/_matrix/client/unstable/im.nheko.summary";
/** Servers that know the room: none can be reached. */
const VIA = {
  type: "object",
  properties: { via: { type: "array", items: { type: "string" } } },
};

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias */
export const getSummary = endpoint<{ params: { roomIdOrAlias: string } }>({
  method: "get",
  path: "/_matrix/client/v1/room_summary/:roomIdOrAlias",
  auth: "optional",
  rateLimit: "search",
  query: VIA,
  async handle(edges, { requester, params }) {
    const { roomIdOrAlias } = params;
    return getRoomSummary(edges, requester?.userId, roomIdOrAlias);
  },
});

/** The same before it was specified (MSC3266): some members had other names. */
export const getUnstableSummary = endpoint<{
  params: { roomIdOrAlias: string };
}>({
  method: "get",
  path: `${UNSTABLE}/summary/:roomIdOrAlias`,
  also: [`${UNSTABLE}/rooms/:roomIdOrAlias/summary`],
  auth: "optional",
  rateLimit: "search",
  query: VIA,
  async handle(edges, { requester, params }) {
    const { roomIdOrAlias } = params;
    const viewer = requester?.userId;
    const summary = await getRoomSummary(edges, viewer, roomIdOrAlias);
    const { encryption, room_version: version } = summary;
    return {
      ...summary,
      "im.nheko.summary.room_version": version,
      "im.nheko.summary.version": version,
      ...(encryption !== undefined && {
        "im.nheko.summary.encryption": encryption,
      }),
    };
  },
});
