import { MatrixError } from "../../../core/errors.ts";

/** Where a connection of sliding sync stands. */
export interface SlidingPos {
  /** Rises when the database is restored from a backup. */
  epoch: number;
  /** What its rooms were told up to, unless the state says less. */
  position: number;
  /** The ephemeral mark: typing. */
  mark: number;
  /** Stands for what was told of the device's one-time keys; 0: nothing. */
  keysDigest: number;
  /** Whether global account data was told, and subscriptions to threads. */
  hasAccountData: boolean;
  hasThreadSubscriptions: boolean;
  /** The stored state of what was sent; both 0 where there is none. */
  seq: number;
  stateId: number;
}

const FORM =
  /^w1_(\d{1,6})_(\d{1,16})_(\d{1,16})_(\d{1,10})_([0-3])_(\d{1,16})_(\d{1,16})$/;

const ACCOUNT_DATA = 1;
const THREAD_SUBSCRIPTIONS = 2;

export const formatSlidingPos = (pos: SlidingPos): string =>
  [
    "w1",
    pos.epoch,
    pos.position,
    pos.mark,
    pos.keysDigest,
    (pos.hasAccountData ? ACCOUNT_DATA : 0) +
      (pos.hasThreadSubscriptions ? THREAD_SUBSCRIPTIONS : 0),
    pos.seq,
    pos.stateId,
  ].join("_");

export function findSlidingPos(text: string): SlidingPos | undefined {
  const numbers = FORM.exec(text)?.slice(1).map(Number);
  if (!numbers?.every(Number.isSafeInteger)) return undefined;
  const [epoch, position, mark, keysDigest, told, seq, stateId] = numbers;
  return {
    epoch: epoch!,
    position: position!,
    mark: mark!,
    keysDigest: keysDigest!,
    hasAccountData: (told! & ACCOUNT_DATA) > 0,
    hasThreadSubscriptions: (told! & THREAD_SUBSCRIPTIONS) > 0,
    seq: seq!,
    stateId: stateId!,
  };
}

/** The client has to begin the connection anew. */
export const unknownPos = (): MatrixError =>
  new MatrixError("M_UNKNOWN_POS", "This position is not known any more.");
