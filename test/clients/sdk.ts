// matrix-js-sdk in Node: the newest that the running Node can load.
import "fake-indexeddb/auto";
import { createRequire } from "node:module";
import type * as MatrixSdk from "matrix-js-sdk";
import type * as SlidingSyncPart from "matrix-js-sdk/lib/sliding-sync.js";

export type Sdk = typeof MatrixSdk;

const isNew = Number(process.versions.node.split(".")[0]) >= 22;
const packageName = isNew ? "matrix-js-sdk-next" : "matrix-js-sdk";

/** The one of the two releases that this run uses. */
export const sdkVersion = (
  createRequire(import.meta.url)(`${packageName}/package.json`) as {
    version: string;
  }
).version;

const silent = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  getChild: () => silent,
};

/** What the SDK would write to the console, which is a lot. */
export const quietLogger = silent;

export async function loadSdk(): Promise<Sdk> {
  const sdk: unknown = isNew
    ? await import("matrix-js-sdk-next")
    : await import("matrix-js-sdk");
  return sdk as Sdk;
}

/** The SDK's sliding sync, which its main module does not export. */
export async function loadSlidingSync(): Promise<
  typeof SlidingSyncPart.SlidingSync
> {
  const part: unknown = isNew
    ? await import("matrix-js-sdk-next/lib/sliding-sync.js")
    : await import("matrix-js-sdk/lib/sliding-sync.js");
  return (part as typeof SlidingSyncPart).SlidingSync;
}
