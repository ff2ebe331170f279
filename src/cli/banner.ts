import type { Config } from "../config/schema.ts";

/** What a person needs to know when the server has started. */
export function bannerText(
  url: string,
  config: Config,
  dataFolder: string,
): string {
  const lines = [
    `Myelin is ready at ${config.publicBaseUrl ?? url}`,
    "",
    `  Server name          ${config.serverName}`,
    "  First administrator  npx myelin admin create-user --admin --username NAME",
    `  Data                 ${dataFolder}`,
  ];
  return `\n${lines.join("\n")}\n\n`;
}
