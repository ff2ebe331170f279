import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";
import type { Proposal } from "../rooms/proposal.ts";
import { writeToRoom, type WriterEdges } from "../rooms/room-writer.ts";
import { readMemberProfile } from "./member-profile.ts";

const ROOMS_AT_ONCE = 10;

/** Shows a user's name and avatar, as they are now, in every room the user is in. */
export async function updateMemberEvents(
  edges: WriterEdges,
  userId: string,
): Promise<void> {
  let profile = await readMemberProfile(edges, userId);
  for (;;) {
    await showProfile(edges, userId, profile);
    // Another change may have been shown before this one, which is outdated then.
    const latest = await readMemberProfile(edges, userId);
    if (canonicalJson(latest) === canonicalJson(profile)) return;
    profile = latest;
  }
}

async function showProfile(
  edges: WriterEdges,
  userId: string,
  profile: JsonObject,
): Promise<void> {
  const rooms = await listMembershipsOf(edges.db, userId, ["join"]);
  const updateRooms = async (): Promise<void> => {
    for (let room = rooms.pop(); room; room = rooms.pop()) {
      const { roomNid } = room;
      await updateRoom(edges, userId, roomNid, profile).catch(
        (error: unknown) => {
          edges.log.warn(
            { err: error, roomNid },
            "a profile did not reach a room",
          );
        },
      );
    }
  };
  await Promise.all(Array.from({ length: ROOMS_AT_ONCE }, updateRooms));
}

async function updateRoom(
  edges: WriterEdges,
  userId: string,
  roomNid: number,
  profile: JsonObject,
): Promise<void> {
  const content = { ...profile, membership: "join" };
  const proposal: Proposal = {
    draft: { type: "m.room.member", sender: userId, stateKey: userId, content },
    skipUnchanged: true,
    // Whoever left just now must not be brought back by this.
    extra: (_event, _at, state) => {
      const standing = state("m.room.member", userId)?.pdu.content;
      if (standing?.["membership"] === "join") return {};
      throw new MatrixError("M_FORBIDDEN", "The user has left the room.");
    },
  };
  await writeToRoom(edges, roomNid, [proposal]);
}
