import type { Edges } from "../../edges.ts";
import {
  listTouchedRooms,
  listWaitingPushers,
  queuePushes,
} from "../../storage/push-queue.ts";
import type { Courier } from "./courier.ts";
import { findPushes } from "./find-pushes.ts";
import { PUSHERS_TOPIC } from "./pushers.ts";
import { forgetPushedRooms } from "./pushed-rooms.ts";
import type { ShardKeeper } from "./shard-keeper.ts";

export type ReaderEdges = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;

const MOST_BATCHES = 500;

/**
 * Reads on in the stream for the shards that this process holds, and queues what their
 * pushers are to be told. Answers whether there is more to be read.
 */
export async function readOn(
  edges: ReaderEdges,
  keeper: ShardKeeper,
  courier: Courier,
): Promise<boolean> {
  const { db, notifier } = edges;
  const head = notifier.position;
  const behind = keeper.shards.filter(({ position }) => position < head);
  const after = Math.min(...behind.map(({ position }) => position));
  if (behind.length === 0) return false;
  // Those that are further behind catch up until all can be read together.
  const group = behind.filter(({ position }) => position === after);
  const next = behind.find(({ position }) => position > after);
  const end = behind.reduce(
    (least, { position }) =>
      position > after ? Math.min(least, position) : least,
    head,
  );
  const changes = notifier.changesSince(after);
  if (!changes || changes.userIds.has(PUSHERS_TOPIC)) {
    forgetPushedRooms(edges);
    await keeper.lookAnew(edges);
    await resumeOf(edges, keeper, courier, changes?.userIds);
  }
  const numbers = group.map(({ shard }) => shard);
  const inhabited = numbers.filter((shard) => keeper.isInhabited(shard));
  if (inhabited.length === 0) {
    keeper.moveOn(numbers, end);
    return next !== undefined || end < notifier.position;
  }
  const { rooms, upTo } = changes
    ? { rooms: [...changes.roomNids], upTo: end }
    : await listTouchedRooms(db, after, end, MOST_BATCHES);
  const rows = await findPushes(edges, rooms, { after, upTo }, inhabited);
  if (rows.length > 0) {
    const { holder } = keeper;
    const moved = await queuePushes(db, holder, group, upTo, rows);
    keeper.lose(numbers.filter((shard) => !moved.includes(shard)));
    for (const pusherId of new Set(rows.map((row) => row.pusherId)))
      courier.expect(pusherId);
  }
  keeper.moveOn(numbers, upTo);
  return next !== undefined || upTo < notifier.position;
}

/** Whoever sets a pusher anew has what waits for it told at once. */
async function resumeOf(
  { db }: ReaderEdges,
  keeper: ShardKeeper,
  courier: Courier,
  userIds: ReadonlySet<string> | undefined,
): Promise<void> {
  const shards = keeper.shards.map(({ shard }) => shard);
  const named = userIds && [...userIds];
  for (const { pusherId, waitMs } of await listWaitingPushers(
    db,
    shards,
    named,
  ))
    courier.resume(pusherId, waitMs);
}
