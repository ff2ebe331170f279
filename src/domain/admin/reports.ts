import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isCompliantUserId, isRoomId } from "../../core/ids.ts";
import { findUser } from "../../storage/users.ts";
import type { Sealed } from "../../storage/write.ts";
import { getVisibleEvent } from "../rooms/context.ts";
import { makeAnew } from "../rooms/make-anew.ts";
import { LostRace } from "../rooms/room-queue.ts";
import { findRoomIdentity } from "../rooms/room-identity.ts";
import type { Requester } from "../accounts/requester.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "memory" | "nids" | "now"
>;

interface Subject {
  roomId?: string;
  eventId?: string;
  userId?: string;
}

/** What somebody reports, in their own words. */
export interface Complaint {
  reason: string;
  /** How bad it is, as older clients tell it: from -100 to 0. */
  score?: number;
}

/**
 * Reports a room, which one need not be in. Whether there is such a room is told to
 * nobody by the answer.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreport
 */
export async function reportRoom(
  edges: Needs,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  complaint: Complaint,
): Promise<void> {
  if (!isRoomId(roomId)) throw notAnId("room");
  if (await findRoomIdentity(edges, roomId))
    await store(edges, userId, { roomId }, complaint);
}

/**
 * Reports an event that one may see. Throws the same `M_NOT_FOUND` for any other.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreporteventid
 */
export async function reportEvent(
  edges: Needs,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  eventId: string,
  complaint: Complaint,
): Promise<void> {
  await getVisibleEvent(edges, userId, roomId, eventId);
  await store(edges, userId, { roomId, eventId }, complaint);
}

/**
 * Reports a user. Whether there is such a user is told to nobody by the answer.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3usersuseridreport
 */
export async function reportUser(
  edges: Needs,
  { userId: reporter }: Pick<Requester, "userId">,
  userId: string,
  complaint: Complaint,
): Promise<void> {
  if (!isCompliantUserId(userId)) throw notAnId("user");
  if (await findUser(edges.db, userId))
    await store(edges, reporter, { userId }, complaint);
}

const notAnId = (of: "room" | "user"): MatrixError =>
  new MatrixError("M_INVALID_PARAM", `This is not the id of a ${of}.`);

/** What a report's sealed reason is bound to. */
const reportContext = (reportId: number): string =>
  `reports.sealed ${reportId}`;

/** What was said, in the order of the reports; undefined where its reporter's key is destroyed. */
export async function readComplaints(
  { keyring }: Pick<Edges, "keyring">,
  reports: readonly ({ reportId: number } & Sealed)[],
): Promise<(Complaint | undefined)[]> {
  const texts = await keyring.openAll(
    reports.map(({ keyId, reportId, sealed }) => ({
      context: reportContext(reportId),
      ...{ keyId, sealed },
    })),
  );
  return texts.map((text) =>
    text === undefined ? undefined : (JSON.parse(text) as Complaint),
  );
}

const store = (
  edges: Needs,
  reporter: string,
  { roomId, eventId, userId }: Subject,
  { reason, score }: Complaint,
): Promise<void> =>
  makeAnew(async () => {
    const [reportId] = await edges.nids.take(1);
    if (reportId === undefined) throw new TypeError("no number for a report");
    const text = JSON.stringify({ reason, score });
    const sealed = await edges.keyring.sealForUser(
      reporter,
      reportContext(reportId),
      text,
    );
    const outcome = await edges.committer.commit({
      positions: 1,
      activeUsers: [reporter],
      rows: {
        reports: [
          {
            at: 0,
            reportId,
            reporter,
            roomId: roomId ?? null,
            eventId: eventId ?? null,
            userId: userId ?? null,
            createdTs: edges.now(),
            ...sealed,
          },
        ],
      },
    });
    if (outcome.status === "committed") return;
    if (outcome.status === "conflict" && outcome.over === "inactive-user") {
      throw new MatrixError(
        "M_USER_DEACTIVATED",
        "This account has been deactivated.",
      );
    }
    edges.keyring.forget([sealed.keyId]);
    throw new LostRace("The reporter's key was destroyed.");
  });
