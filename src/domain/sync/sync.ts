import type { Caller } from "../../util/caller.ts";
import { forgetReceived } from "./device-memory.ts";
import { readEpochOnce } from "./epoch.ts";
import { readQuickAnswer } from "./quick-answer.ts";
import type { AnswerText, SyncAnswer, SyncEdges } from "./sync-answer.ts";
import { readSeenView, seeing } from "./seen-view.ts";
import type { SyncRequest } from "./sync-request.ts";
import { readWholeAnswer } from "./whole-answer.ts";

/**
 * One `/sync`: answers at once where there is news, else waits for it.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export async function sync(
  edges: SyncEdges,
  asked: SyncRequest,
  caller: Caller,
): Promise<AnswerText> {
  const request = await settleToken(edges, asked);
  const { requester, since } = request;
  if (since) {
    await forgetReceived(edges, requester, since.toDevicePosition);
    await edges.notifier.caughtUp(since.position);
  }
  // Not the clock's time, which may jump while we wait.
  const deadline = performance.now() + request.timeoutMs;
  // What other processes have acknowledged by now is in the answer.
  let upTo = await edges.notifier.refresh();
  for (;;) {
    // Another process may have given out a later one than this one has heard of.
    const mark = Math.max(edges.notifier.ephemeralMark, since?.mark ?? 0);
    const view = await readSeenView(edges, requester.userId, upTo);
    const own = seeing(edges, requester.userId, view);
    const answer: SyncAnswer =
      (await readQuickAnswer(own, request, view, mark)) ??
      (await readWholeAnswer(own, request, view, mark));
    const left = deadline - performance.now();
    const mustAnswer =
      since === null || request.isFullState || !answer.isEmpty || left <= 0;
    if (mustAnswer || caller.isGone) return answer;
    const outcome = await edges.notifier.wait(
      {
        userId: requester.userId,
        tokenId: requester.tokenId,
        // What is withheld may come back by what happens there.
        roomNids: (view.withheld?.whole ?? view).joinedNids,
      },
      { position: answer.token.position, mark: answer.token.mark },
      left,
      caller,
    );
    if (outcome !== "woken") return answer;
    upTo = edges.notifier.position;
  }
}

/** A token of an epoch that a restore has ended gets a fresh sync. */
async function settleToken(
  edges: SyncEdges,
  request: SyncRequest,
): Promise<SyncRequest> {
  if (!request.since) return request;
  const epoch = await readEpochOnce(edges);
  return request.since.epoch === epoch ? request : { ...request, since: null };
}
