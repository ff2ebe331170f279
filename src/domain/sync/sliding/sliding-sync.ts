import type { WaitTopics } from "../../../storage/notifier.ts";
import type { Caller } from "../../../util/caller.ts";
import type { Connection } from "../../../storage/sliding-states.ts";
import { readEpochOnce } from "../epoch.ts";
import { readSeenView, seeing } from "../seen-view.ts";
import type { AnswerPlace } from "./answer-extensions.ts";
import {
  type ConnectionState,
  NOTHING_SENT,
  readConnection,
  saveConnection,
} from "./connection.ts";
import { acknowledgeToDevice } from "./extend-to-device.ts";
import { readSlidingAnswer, type SlidingAnswer } from "./sliding-answer.ts";
import type { SlidingEdges } from "./sliding-edges.ts";
import { formatSlidingPos, unknownPos } from "./sliding-pos.ts";
import { asksForRooms, type SlidingRequest } from "./sliding-request.ts";

const NO_ROOMS: ReadonlySet<number> = new Set();

/**
 * One request of sliding sync: answers at once where there is news, else waits for it.
 * Throws `M_UNKNOWN_POS` where the client has to begin anew.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/4186
 */
export async function slidingSync(
  edges: SlidingEdges,
  request: SlidingRequest,
  caller: Caller,
): Promise<string> {
  const { requester, pos } = request;
  const epoch = await readEpochOnce(edges);
  if (pos && pos.epoch !== epoch) throw unknownPos();
  // Not the clock's time, which may jump while we wait.
  const deadline = performance.now() + request.timeoutMs;
  // What other processes have acknowledged by now is in the answer.
  let upTo = await edges.notifier.refresh();
  if (pos && pos.position > upTo) throw unknownPos();
  const { toDevice: asked } = request.extensions;
  const toDevice =
    asked &&
    (await acknowledgeToDevice(edges, requester, asked, { epoch, head: upTo }));
  for (;;) {
    const { answer, topics } = await answerNow(edges, request, upTo, {
      epoch,
      toDevice,
    });
    // Nobody gets it, so nothing was sent.
    if (caller.isGone) return "{}";
    const left = deadline - performance.now();
    if (pos === null || !answer.isEmpty || left <= 0)
      return finish(edges, request, answer);
    const { position, mark } = answer.pos;
    const outcome = await edges.notifier.wait(
      topics,
      {
        position,
        mark: request.extensions.typing ? mark : Number.MAX_SAFE_INTEGER,
      },
      left,
      caller,
    );
    if (outcome !== "woken" && !caller.isGone)
      return finish(edges, request, answer);
    upTo = edges.notifier.position;
  }
}

/** The answer at a position of the stream, and what would change it. */
async function answerNow(
  edges: SlidingEdges,
  request: SlidingRequest,
  upTo: number,
  { epoch, toDevice }: Pick<AnswerPlace, "epoch" | "toDevice">,
): Promise<{ answer: SlidingAnswer; topics: WaitTopics }> {
  const { requester, pos, extensions } = request;
  const { userId, tokenId } = requester;
  // Another process may have given out a later one than this one has heard of.
  const mark = Math.max(edges.notifier.ephemeralMark, pos?.mark ?? 0);
  const view = await readSeenView(edges, userId, upTo);
  const { rooms: sent } = await readSent(edges, request);
  const place: AnswerPlace = { epoch, mark, sent, toDevice };
  const own = seeing(edges, userId, view);
  const answer = await readSlidingAnswer(own, request, view, place);
  const needsRooms = asksForRooms(request) || extensions.e2ee;
  // What is withheld may come back by what happens there.
  const { joinedNids } = view.withheld?.whole ?? view;
  const roomNids = needsRooms ? joinedNids : NO_ROOMS;
  return { answer, topics: { userId, tokenId, roomNids } };
}

/** What the client was sent. Many wait for long, so nobody holds it meanwhile. */
const readSent = (
  edges: SlidingEdges,
  request: SlidingRequest,
): Promise<ConnectionState> =>
  request.pos
    ? readConnection(edges, connectionOf(request), request.pos)
    : Promise.resolve(NOTHING_SENT);

/** What the client is sent is stored before it is sent. */
async function finish(
  edges: SlidingEdges,
  request: SlidingRequest,
  { pos, changes, rest }: SlidingAnswer,
): Promise<string> {
  const { seq, stateId } = await saveConnection(
    edges,
    connectionOf(request),
    await readSent(edges, request),
    changes,
  );
  const token = formatSlidingPos({ ...pos, seq, stateId });
  return `{"pos":${JSON.stringify(token)},${rest}}`;
}

const connectionOf = ({ requester, connId }: SlidingRequest): Connection => ({
  userId: requester.userId,
  deviceId: requester.deviceId,
  connId,
});
