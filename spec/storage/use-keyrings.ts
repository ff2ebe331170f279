import { createBus } from "../../src/storage/bus.ts";
import type { Bus } from "../../src/storage/bus.ts";
import { createKeyring } from "../../src/storage/database-keyring.ts";
import type { Sql } from "../../src/storage/database.ts";
import type { Keyring } from "../../src/storage/keyring.ts";
import type { Secrets } from "../../src/storage/secrets.ts";
import { loadSecrets } from "../../src/storage/secrets.ts";
import { ProcessMemory } from "../../src/util/process-memory.ts";
import { quiet, useDatabase } from "../support/database.ts";
import { useFolders } from "../support/use-folder.ts";

export interface KeyringProcess {
  sql: Sql;
  bus: Bus;
  secrets: Secrets;
  keyring: Keyring;
  memory: ProcessMemory;
}

/** Keyrings over one database and one key folder, each as a process of its own has it. */
export function useKeyrings() {
  const database = useDatabase();
  const makeFolder = useFolders();
  let keysDir = "";
  let taken = 1000;
  const buses: Bus[] = [];
  before(async () => {
    keysDir = await makeFolder();
  });
  after(async () => {
    for (const bus of buses) await bus.close();
  });

  return {
    database,
    get source() {
      return { keysDir, given: new Map() };
    },
    async start({ isSealing = true } = {}): Promise<KeyringProcess> {
      const sql = database.open();
      const bus = await createBus(sql, { log: quiet });
      buses.push(bus);
      const secrets = await loadSecrets({ keysDir, given: new Map() }, sql);
      const keyring = createKeyring({
        sql,
        bus,
        isSealing,
        masterKeys: secrets.masterKeys,
        nids: {
          take: (count) => Array.from({ length: count }, () => (taken += 1)),
        },
        now: () => 1_700_000_000_000,
        log: quiet,
      });
      return { sql, bus, secrets, keyring, memory: new ProcessMemory() };
    },
  };
}
