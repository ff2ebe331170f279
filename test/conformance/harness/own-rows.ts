import { row, type RowOptions } from "./registry.ts";
import type { Server } from "./server.ts";
import type { User } from "./user.ts";

export interface Pair {
  server: Server;
  alice: User;
  bob: User;
}

/** Registers behaviours that no field suite names, each with two accounts of its own. */
export const ownRows =
  (test: string) =>
  (
    name: string,
    run: (pair: Pair) => Promise<void>,
    options: RowOptions = {},
  ): void => {
    const make = async (server: Server) => {
      const [alice, bob] = await Promise.all([
        server.user("alice"),
        server.user("bob"),
      ]);
      await run({ server, alice, bob });
    };
    row("myelin", test, name, make, options);
  };
