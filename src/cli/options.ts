import { resolve } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Program } from "./program.ts";
import { UsageError } from "./usage.ts";

export const configOption = { config: { type: "string" } } as const;
export const folderOptions = {
  ...configOption,
  data: { type: "string", default: "data" },
} as const;

type OptionsOf = NonNullable<ParseArgsConfig["options"]>;

/** Reads the options of a command; anything else is a fault of usage. */
export function parseOptions<const Options extends OptionsOf>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError where a script's variable was empty: the folder at hand is no data folder. */
export function dataFolderOf(program: Program, data: string): string {
  if (data === "") throw new UsageError("--data expects a folder.");
  return resolve(program.folder, data);
}
