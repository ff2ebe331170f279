import { assertPermissionsKnown } from "../compose-settings.ts";
import { renderSample } from "../config/sample.ts";
import { configOption, parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import { buildConfig, readConfigSources } from "./read-config.ts";

/** `myelin config check` */
export async function checkConfig(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const { config } = parseOptions(args, configOption);
  const sources = await readConfigSources(program, config);
  assertPermissionsKnown(buildConfig(program, sources));
  program.stdout.write("The configuration is right.\n");
}

/** `myelin config sample` */
export async function printSample(
  program: Program,
  args: readonly string[],
): Promise<void> {
  parseOptions(args, {});
  program.stdout.write(renderSample());
}
