import { StorageUnavailable } from "./storage-unavailable.ts";
import type { Committer } from "./write.ts";

/** A committer for those who begin before the fence is shut, and nobody after. */
export interface Fence extends Committer {
  shut(): void;
}

export function raiseFence(
  committer: Committer,
  isStalled: () => boolean,
): Fence {
  let isShut = false;
  return {
    async commit(write) {
      if (isShut || isStalled())
        throw new StorageUnavailable("The process did not run.", true);
      return committer.commit(write);
    },
    shut() {
      isShut = true;
    },
  };
}
