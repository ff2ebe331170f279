import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Attributes } from "../../core/policy/document.ts";
import {
  findRoomAttributes,
  findUserAttributes,
} from "../../storage/policy-facts.ts";
import { findUser } from "../../storage/users.ts";
import {
  changeAuthority,
  noAccount,
  type Administrator,
  type AuthorityEdges,
} from "../admin/change-authority.ts";
import { getRoomForAdmin } from "../admin/room-details.ts";
import { attributesText, parseAttributes } from "./attributes.ts";

/** What administrators say of a user. */
export async function getUserAttributes(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<Attributes> {
  if (!(await findUser(db, userId))) throw noAccount();
  return parseAttributes(await findUserAttributes(db, userId));
}

/** @throws MatrixError what keeps this from being said of a user as things are */
export async function validateUserAttributes(
  edges: Pick<Edges, "db">,
  by: Pick<Administrator, "requester">,
  userId: string,
  attributes: Attributes,
): Promise<void> {
  attributesText("user", attributes);
  assertNotOwn(by, userId);
  await getUserAttributes(edges, userId);
}

/** @throws MatrixError M_FORBIDDEN */
function assertNotOwn(
  { requester }: Pick<Administrator, "requester">,
  userId: string,
): void {
  if (requester.userId === userId)
    throw new MatrixError(
      "M_FORBIDDEN",
      "Nobody sets attributes of themselves.",
    );
}

/** Says this of a user, and nothing else any more. Nobody does so of themselves. */
export async function setUserAttributes(
  edges: AuthorityEdges,
  by: Administrator,
  userId: string,
  attributes: Attributes,
): Promise<void> {
  const text = attributesText("user", attributes);
  const setBy = by.requester.userId;
  assertNotOwn(by, userId);
  await changeAuthority(edges, by, async () => {
    const before = await getUserAttributes(edges, userId);
    return {
      rows: { userAttributes: [{ userId, attributes: text, setBy }] },
      users: [userId],
      act: {
        act: "groups.write" as const,
        target: userId,
        before: { attributes: before as JsonObject },
        details: { attributes: attributes as JsonObject },
      },
      answer: undefined,
    };
  });
}

export async function getRoomAttributes(
  edges: Pick<Edges, "db" | "memory">,
  roomId: string,
): Promise<Attributes> {
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  return parseAttributes(await findRoomAttributes(edges.db, roomNid));
}

/** @throws MatrixError what keeps this from being said of a room as things are */
export async function validateRoomAttributes(
  edges: Pick<Edges, "db" | "memory">,
  roomId: string,
  attributes: Attributes,
): Promise<void> {
  attributesText("room", attributes);
  await getRoomForAdmin(edges, roomId);
}

/** Says this of a room, and nothing else any more. */
export async function setRoomAttributes(
  edges: AuthorityEdges,
  by: Administrator,
  roomId: string,
  attributes: Attributes,
): Promise<void> {
  const text = attributesText("room", attributes);
  const setBy = by.requester.userId;
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  await changeAuthority(edges, by, async () => {
    const before = await getRoomAttributes(edges, roomId);
    return {
      rows: { roomAttributes: [{ roomNid, attributes: text, setBy }] },
      rooms: [roomNid],
      act: {
        act: "groups.write" as const,
        target: roomId,
        before: { attributes: before as JsonObject },
        details: { attributes: attributes as JsonObject },
      },
      answer: undefined,
    };
  });
}
