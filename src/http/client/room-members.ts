import type { JsonObject } from "../../core/json.ts";
import { listJoinedMembers } from "../../domain/rooms/joined-members.ts";
import { listMembers, listMembersAt } from "../../domain/rooms/members.ts";
import { parsePagingToken } from "../../domain/rooms/paging-token.ts";
import { presentState } from "../../domain/rooms/present.ts";
import { getReadableState } from "../../domain/rooms/read-state.ts";
import { listReadableJoinedRooms } from "../../domain/rooms/joined-rooms.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

const MEMBERSHIP = {
  type: "string",
  enum: ["join", "invite", "knock", "leave", "ban"],
};

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3joined_rooms */
export const getJoinedRooms = endpoint({
  method: "get",
  path: "/_matrix/client/v3/joined_rooms",
  auth: "user",
  guest: true,
  async handle(edges, { requester }) {
    return {
      joined_rooms: await listReadableJoinedRooms(edges, requester.userId),
    };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers */
export const getMembers = endpoint<{
  params: { roomId: string };
  query: { at?: string; membership?: string; not_membership?: string };
}>({
  method: "get",
  path: "/_matrix/client/v3/rooms/:roomId/members",
  auth: "user",
  rateLimit: "history",
  guest: true,
  query: {
    type: "object",
    properties: {
      at: { type: "string" },
      membership: MEMBERSHIP,
      not_membership: MEMBERSHIP,
    },
  },
  async handle(edges, { requester, params, query }) {
    const { at } = query;
    const point = at === undefined ? null : parsePagingToken(at, "at");
    const { userId } = requester;
    const readable = await getReadableState(edges, userId, params.roomId);
    const members = point
      ? await listMembersAt(edges, readable, point)
      : await listMembers(edges, readable);
    const wanted = members.filter(({ pdu }) => isWanted(pdu.content, query));
    const texts = await presentState(edges, requester, wanted);
    return reply({ body: `{"chunk":[${texts.join(",")}]}` });
  },
});

/** "The two parameters create an 'or' condition." */
function isWanted(
  { membership }: JsonObject,
  asked: { membership?: string; not_membership?: string },
): boolean {
  const { membership: is, not_membership: isNot } = asked;
  if (is === undefined && isNot === undefined) return true;
  return (
    (is !== undefined && membership === is) ||
    (isNot !== undefined && membership !== isNot)
  );
}

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidjoined_members */
export const getJoinedMembers = endpoint<{ params: { roomId: string } }>({
  method: "get",
  path: "/_matrix/client/v3/rooms/:roomId/joined_members",
  auth: "user",
  rateLimit: "history",
  async handle(edges, { requester, params }) {
    const { userId } = requester;
    return { joined: await listJoinedMembers(edges, userId, params.roomId) };
  },
});
