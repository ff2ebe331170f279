import { MatrixError } from "../../core/errors.ts";

const MAX_ITEM_BYTES = 64 * 1024;

/** Throws `M_TOO_LARGE` for what is kept of one key, or of a backup's own. */
export function assertItemSize(json: string): void {
  if (Buffer.byteLength(json) <= MAX_ITEM_BYTES) return;
  throw new MatrixError("M_TOO_LARGE", "A backup has items of 64 KiB at most.");
}

/** The number of a version; 0, which nobody has, for text that is none. */
export const parseVersion = (version: string): number =>
  /^[1-9][0-9]{0,14}$/.test(version) ? Number(version) : 0;

export const noSuchBackup = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "There is no such key backup.");
