// Loaded into the server with --expose-gc: what is garbage is gone after SIGUSR2.
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  process.on("SIGUSR2", () => {
    // The second takes what the first one's finalizers let go, and pages that hold little are given back.
    globalThis.gc?.();
    globalThis.gc?.({
      type: "major",
      execution: "sync",
      flavor: "last-resort",
    });
  });
}
