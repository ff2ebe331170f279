import { MatrixError } from "../../core/errors.ts";

/**
 * Where a client stands. Everything at or below `position` has been shown to it;
 * to-device messages at or below `toDevicePosition` have been handed to it.
 */
export interface SyncToken {
  /** Rises when the database is restored from a backup. */
  epoch: number;
  position: number;
  toDevicePosition: number;
  /** The ephemeral mark: typing and presence. */
  mark: number;
  /** The position of the initial sync that this token goes back to. */
  start: number;
  /** Stands for what was told of the device's one-time keys, which claims change beside the stream. */
  keysDigest: number;
  /** Names the rooms that policies withheld; empty where they were none. */
  withheld: string;
}

const FORM =
  /^s1_(\d{1,6})_(\d{1,16})_(\d{1,16})_(\d{1,16})_(\d{1,16})_(\d{1,10})(?:_([0-9a-f]{16}))?$/;

export const formatSyncToken = (token: SyncToken): string => {
  const { epoch, position, toDevicePosition, mark, start, keysDigest } = token;
  const withheld = token.withheld === "" ? "" : `_${token.withheld}`;
  return `s1_${epoch}_${position}_${toDevicePosition}_${mark}_${start}_${keysDigest}${withheld}`;
};

export function findSyncToken(text: string): SyncToken | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const numbers = match.slice(1, 7).map(Number);
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  const [epoch, position, toDevicePosition, mark, start, keysDigest] = numbers;
  return {
    epoch: epoch!,
    position: position!,
    toDevicePosition: toDevicePosition!,
    mark: mark!,
    start: start!,
    keysDigest: keysDigest!,
    withheld: match[7] ?? "",
  };
}

/** Throws `M_INVALID_PARAM` for text that this server never gave out. */
export function parseSyncToken(text: string, name: string): SyncToken {
  const token = findSyncToken(text);
  if (token) return token;
  throw new MatrixError(
    "M_INVALID_PARAM",
    `"${name}" is not a token of this server.`,
  );
}
