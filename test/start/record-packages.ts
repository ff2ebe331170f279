// Loaded into the server by NODE_OPTIONS: notes the packages that its own modules load.
import { appendFileSync } from "node:fs";
import { register, type LoadHook } from "node:module";
import { isMainThread } from "node:worker_threads";

const PACKAGE = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const file = process.env["LOADED_PACKAGES"] ?? "";

// Hooks run in a thread of their own, which loads this file again.
if (isMainThread) register(import.meta.url);

export const load: LoadHook = (url, context, nextLoad) => {
  const name = PACKAGE.exec(url)?.[1];
  if (name !== undefined) appendFileSync(file, `${name}\n`);
  return nextLoad(url, context);
};
