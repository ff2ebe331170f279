import { join } from "node:path";
import { composeEdges } from "../../src/compose-edges.ts";
import { loadConfig } from "../../src/config/load.ts";
import { registerAccount } from "../../src/domain/accounts/register.ts";
import type { Edges } from "../../src/edges.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import { PASSWORD } from "../matrix/account.ts";
import type { ImportAccounts } from "../matrix/accounts.ts";

/** A server of ours that was started here. */
interface OwnServer {
  /** Where it runs. */
  readonly folder: string;
  readonly databaseUrl: string;
  readonly environment: Readonly<Record<string, string>>;
}

const AT_ONCE = 64;

/**
 * Makes accounts beside the server, by what it makes them with itself, but for the
 * password: it is hashed once for all of them. Ten thousand hashes take minutes.
 */
export const importerOf =
  ({ folder, databaseUrl, environment }: OwnServer): ImportAccounts =>
  async (names) => {
    const dataFolder = join(folder, "data");
    const config = loadConfig({ environment });
    const sql = openDatabase(databaseUrl, { poolSize: 10, log });
    try {
      const composed = await composeEdges({
        config,
        sql,
        log,
        secretSource: { keysDir: join(dataFolder, "keys"), given: new Map() },
        mediaFolder: join(dataFolder, "media"),
        dataFolder,
        now: () => Date.now(),
      });
      try {
        const edges = withOneHash(composed.edges);
        return await mapInParallel(names, AT_ONCE, (name) =>
          importAccount(edges, name),
        );
      } finally {
        await composed.close();
      }
    } finally {
      await sql.end({ timeout: 1 });
    }
  };

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error(details: object, message: string) {
    process.stderr.write(`${message}: ${JSON.stringify(details)}\n`);
  },
};

function withOneHash(edges: Edges): Edges {
  const { passwordHasher } = edges;
  let hashed: Promise<string> | undefined;
  return {
    ...edges,
    passwordHasher: {
      ...passwordHasher,
      hash: (text) => (hashed ??= passwordHasher.hash(text)),
    },
  };
}

async function importAccount(edges: Edges, name: string) {
  const made = await registerAccount(
    edges,
    { localpart: name, password: PASSWORD },
    { canRefresh: false },
  );
  if (!("accessToken" in made)) throw new TypeError("no session was opened");
  const { userId, accessToken: token } = made;
  return { name, userId, token };
}
