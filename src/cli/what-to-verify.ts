import type { KeyObject } from "node:crypto";
import { resolve } from "node:path";
import { readKeys } from "./audit-verify.ts";
import { parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import { UsageError } from "./usage.ts";

/** `FILE --key KEY`; keys that signed before stay good for what they signed. */
export async function readWhatToVerify(
  program: Program,
  args: readonly string[],
): Promise<{ path: string; keys: KeyObject[] }> {
  const [file = "", ...rest] = args;
  if (file === "" || file.startsWith("--"))
    throw new UsageError("Which file? Give what the server answered.");
  const { key: given } = parseOptions(rest, { key: { type: "string" } });
  if (given === undefined)
    throw new UsageError(
      "--key expects the key that `myelin audit key` prints.",
    );
  return {
    path: resolve(program.folder, file),
    keys: await readKeys(given, resolve(program.folder, given)),
  };
}
