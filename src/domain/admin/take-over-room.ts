import type { StateLookup } from "../../core/auth/check.ts";
import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import {
  creatorsOf,
  requiredPowerLevel,
  userPowerLevel,
} from "../../core/power-levels.ts";
import type { RoomRules } from "../../core/room-version.ts";
import { findMembership, listJoinedAmong } from "../../storage/memberships.ts";
import { resolveRoom } from "../directory/resolve-room.ts";
import { inviteProposals } from "../rooms/invitation.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import { makeAnew } from "../rooms/make-anew.ts";
import type { Proposal } from "../rooms/proposal.ts";
import { loadRoomHead, readState, stateAt } from "../rooms/room-head.ts";
import type { RoomIdentity } from "../rooms/room-identity.ts";
import { writeToRoom, type WriterEdges } from "../rooms/room-writer.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import { assertLocalUser } from "./join-user.ts";
import { getRoomForAdmin } from "./room-details.ts";

const LEVELS = "m.room.power_levels";
/** Members without a power of their own that are looked at. */
const MOST_OTHERS = 100;
/** What a creator, whose power has no number, gives. */
const USUAL_HIGHEST = 100;

async function findTakeover(
  edges: WriterEdges,
  roomIdOrAlias: string,
  userId: string,
) {
  const target = await assertLocalUser(edges, userId);
  const roomId = await resolveRoom(edges, roomIdOrAlias);
  return { target, roomId, room: await getRoomForAdmin(edges, roomId) };
}

/** Throws what keeps a user from being given the highest power in a room as things are. */
export async function validateRoomAdmin(
  edges: WriterEdges,
  roomIdOrAlias: string,
  userId: string,
): Promise<void> {
  const { target, room } = await findTakeover(edges, roomIdOrAlias, userId);
  await findPower(edges, room, target);
}

/**
 * Gives a user the highest power that somebody of this server has in a room, by whom has
 * it; and invites them, where they are not in the room and could not come in by themselves.
 */
export async function makeRoomAdmin(
  edges: WriterEdges,
  by: ActingAdministrator,
  roomIdOrAlias: string,
  userId: string,
): Promise<void> {
  const { target, roomId, room } = await findTakeover(
    edges,
    roomIdOrAlias,
    userId,
  );
  await makeAnew(async () => {
    const { mightiest, level, content } = await findPower(edges, room, target);
    const standing = await findMembership(edges.db, target, room.roomNid);
    const isOutside = !["join", "invite"].includes(standing?.membership ?? "");
    const invites =
      isOutside && !(await isOpen(edges, room))
        ? await inviteProposals(edges, mightiest, [target], {})
        : [];
    const draft = { type: LEVELS, sender: mightiest, stateKey: "", content };
    const proposals: Proposal[] = [
      ...(level === null ? [] : [{ draft, skipUnchanged: true }]),
      ...invites,
    ];
    await writeToRoom(edges, room.roomNid, proposals, {
      audit: [
        recordOf(by, roomId, edges.now(), { user: target, by: mightiest }),
      ],
    });
  });
}

interface Power {
  mightiest: string;
  /** Null where the user has as much already. */
  level: number | null;
  content: JsonObject;
}

async function findPower(
  edges: WriterEdges,
  room: RoomIdentity,
  target: string,
): Promise<Power> {
  const { rules, roomNid } = room;
  const head = await loadRoomHead(edges, roomNid);
  await readState(edges, head, [
    ["m.room.create", ""],
    [LEVELS, ""],
  ]);
  const state: StateLookup = (type, key) => stateAt(head, type, key);
  const create = state("m.room.create", "");
  const levels = state(LEVELS, "");
  if (!create) throw noLocalAdmin();
  const users = levels?.pdu.content["users"];
  const named = isJsonObject(users) ? Object.keys(users) : [];
  const members = await listJoinedAmong(
    edges.db,
    roomNid,
    [...creatorsOf(rules, create), ...named],
    `:${edges.settings.serverName}`,
    MOST_OTHERS,
  );
  const powerOf = (userId: string) =>
    userPowerLevel(rules, create, levels, userId);
  const mightiest = members
    .filter((userId) => isLocalUser(edges.settings, userId))
    .sort(
      (a, b) =>
        Number(powerOf(b) > powerOf(a)) - Number(powerOf(a) > powerOf(b)),
    )
    .at(0);
  if (mightiest === undefined) throw noLocalAdmin();
  const needed = neededToGrant(rules, levels);
  const power = powerOf(mightiest);
  if (power < needed)
    throw new MatrixError(
      "M_UNKNOWN",
      "Nobody of this server has the power to change who has power in this room.",
    );
  const given = Number.isFinite(power)
    ? power
    : Math.max(USUAL_HIGHEST, needed);
  const content = {
    ...levels?.pdu.content,
    users: { ...(isJsonObject(users) && users), [target]: given },
  };
  const hasIt = powerOf(target) >= given;
  return { mightiest, level: hasIt ? null : given, content };
}

const neededToGrant = (
  rules: RoomRules,
  levels: ReturnType<StateLookup>,
): number => requiredPowerLevel(rules, levels, { type: LEVELS, isState: true });

const noLocalAdmin = (): MatrixError =>
  new MatrixError("M_UNKNOWN", "No user of this server is in this room.");

async function isOpen(
  edges: WriterEdges,
  { roomNid }: RoomIdentity,
): Promise<boolean> {
  const head = await loadRoomHead(edges, roomNid);
  await readState(edges, head, [["m.room.join_rules", ""]]);
  const rules = stateAt(head, "m.room.join_rules", "");
  return rules?.pdu.content["join_rule"] === "public";
}
