import { once } from "node:events";
import type { Server } from "node:http";
import { StartError } from "./start-error.ts";

/**
 * Listens where a section of the settings says.
 * @throws StartError naming the section
 */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  section: "listen" | "metrics" | "listeners.admin",
): Promise<void> {
  server.listen(port, host);
  await once(server, "listening").catch((error: Error) => {
    throw new StartError(
      `The server cannot listen on ${host}, port ${port}: ${error.message}. Stop what uses the address, or give another in ${section}.host and ${section}.port${section === "listen" ? " (or --port)" : ""}.`,
    );
  });
}
