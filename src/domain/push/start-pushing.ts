import { randomUUID } from "node:crypto";
import { listWaitingPushers } from "../../storage/push-queue.ts";
import { WokenWork } from "../../util/woken-work.ts";
import { Courier, type CourierEdges } from "./courier.ts";
import { readOn } from "./push-reader.ts";
import { ShardKeeper } from "./shard-keeper.ts";

const KEEP_MS = 5000;
/** What comes meanwhile is read together. */
const READ_MS = 40;

/**
 * Pushes notifications for this process's share of the pushers. It is woken by the
 * stream. What a process that is gone had queued, or had not read yet, is told by those
 * that take its shards.
 * @param edgesNow what work that begins now is done with
 */
export function startPushing(edgesNow: () => CourierEdges): {
  stop(): Promise<void>;
} {
  const keeper = new ShardKeeper(randomUUID());
  const courier = new Courier(edgesNow, keeper);
  const onError = (error: unknown) => {
    edgesNow().log.warn({ err: error }, "Notifications are pushed later.");
  };
  const reading = new WokenWork(
    async () => {
      if (await readOn(edgesNow(), keeper, courier)) reading.wake();
    },
    { restMs: READ_MS, onError },
  );
  const keeping = new WokenWork(
    async () => {
      const edges = edgesNow();
      const taken = await keeper.keep(edges);
      if (taken.length > 0) {
        for (const { pusherId, waitMs } of await listWaitingPushers(
          edges.db,
          taken,
        ))
          courier.resume(pusherId, waitMs);
      }
      reading.wake();
    },
    { onError },
  );
  const unfollow = edgesNow().notifier.onAdvance(() => reading.wake());
  const timer = setInterval(() => keeping.wake(), KEEP_MS);
  timer.unref();
  keeping.wake();
  return {
    async stop() {
      unfollow();
      clearInterval(timer);
      await Promise.all([keeping.stop(), reading.stop()]);
      await courier.stop().catch(onError);
      await keeper.release(edgesNow()).catch(onError);
    },
  };
}
