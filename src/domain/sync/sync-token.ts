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
  /** Stands for what was told of the device's one-time keys, which claims change beside the stream. */
  keysDigest?: number;
}

const FORM = /^s1_(\d{1,6})_(\d{1,16})_(\d{1,16})_(\d{1,16})(?:_(\d{1,10}))?$/;

export const formatSyncToken = (token: SyncToken): string =>
  [
    ...["s1", token.epoch, token.position, token.toDevicePosition, token.mark],
    ...(token.keysDigest === undefined ? [] : [token.keysDigest]),
  ].join("_");

export function findSyncToken(text: string): SyncToken | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [epoch, position, toDevicePosition, mark] = match.slice(1).map(Number);
  const digest = match[5];
  return {
    epoch: epoch!,
    position: position!,
    toDevicePosition: toDevicePosition!,
    mark: mark!,
    ...(digest !== undefined && { keysDigest: Number(digest) }),
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
