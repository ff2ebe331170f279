import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { SettingsFile } from "../config/settings-file.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";

/** Where a configuration comes from; a worker builds the same one from it. */
export interface ConfigSources {
  readonly file: SettingsFile | undefined;
  readonly overrides: readonly (readonly [path: string, value: unknown])[];
}

const DEFAULT_FILE = "config.yaml";

/** Reads the named file, or config.yaml where that exists. */
export async function readConfigSources(
  program: Program,
  file: string | undefined,
  overrides: ConfigSources["overrides"] = [],
): Promise<ConfigSources> {
  const path = resolve(program.folder, file ?? DEFAULT_FILE);
  const text = await readFile(path, "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      if (file === undefined && error.code === "ENOENT") return undefined;
      throw new StartError(`${path} cannot be read: ${error.message}`);
    },
  );
  return {
    file: text === undefined ? undefined : await parse(text),
    overrides,
  };
}

/** Many servers have no file: what reads one is loaded for it alone. */
async function parse(text: string): Promise<SettingsFile> {
  const { readYaml } = await import("../config/read-yaml.ts");
  return readYaml(text);
}

/** @throws ConfigError with every fault. */
export const buildConfig = (
  program: Program,
  { file, overrides }: ConfigSources,
): Config =>
  loadConfig({
    file,
    environment: program.environment,
    overrides: new Map(overrides),
  });
