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

export const dataFolderOf = (program: Program, data: string): string =>
  resolve(program.folder, data);
