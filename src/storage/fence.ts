import { StorageUnavailable } from "./storage-unavailable.ts";
import type { Committer } from "./write.ts";

/** A committer for those who begin before the fence is shut, and nobody after. */
export interface Fence extends Committer {
  shut(): void;
  readonly isShut: boolean;
}

export function raiseFence(
  committer: Committer,
  isStalled: () => boolean,
): Fence {
  let wasStalled = false;
  return {
    async commit(write) {
      if (this.isShut)
        throw new StorageUnavailable("The process did not run.", true);
      return committer.commit(write);
    },
    shut() {
      wasStalled = true;
    },
    get isShut() {
      return wasStalled || isStalled();
    },
  };
}
