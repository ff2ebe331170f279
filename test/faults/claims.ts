import { randomBytes } from "node:crypto";
import { Client } from "./client.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { FaultServer } from "./server.ts";

/** Row 61 of the faults and abuse: no one-time key is given twice. */
export const claims: ProofCase = {
  name: "claims",
  unit: "claim of a one-time key, 64 at once over two processes",
  fullUnits: 100_000,
  unitsPerRun: 20_000,
  run: runClaims,
};

const CLIENTS = 64;
/** A fifth of the claims of a round comes too late for a key. */
const CLAIMS_A_ROUND = 2_500;
const KEYS_A_ROUND = 2_000;
const ALGORITHM = "curve25519";

async function runClaims({ units }: RunOptions): Promise<Outcome> {
  const server = new FaultServer({ processes: 2 });
  const owner = new Client(server);
  const clients = Array.from({ length: CLIENTS }, () => new Client(server));
  const given = new Map<string, number>();
  const uploaded = new Set<string>();
  let claimed = 0;
  try {
    await server.start();
    await owner.register("owner");
    for (const client of clients) client.token = owner.token;
    const wanted = { [owner.userId]: { [owner.deviceId]: ALGORITHM } };
    const claim = async (client: Client) => {
      const answer = await client.must("POST", "/keys/claim", {
        one_time_keys: wanted,
      });
      for (const key of keysIn(answer))
        given.set(key, (given.get(key) ?? 0) + 1);
    };
    while (claimed < units) {
      const count = Math.min(CLAIMS_A_ROUND, units - claimed);
      const keys = makeKeys(Math.ceil((count * KEYS_A_ROUND) / CLAIMS_A_ROUND));
      for (const key of Object.values(keys)) uploaded.add(key);
      await owner.must("POST", "/keys/upload", { one_time_keys: keys });
      let left = count;
      const work = async (client: Client) => {
        while (left-- > 0) await claim(client);
      };
      await Promise.all(clients.map(work));
      claimed += count;
    }
    // The keys of an answer that did not come are lost: that is what one-time means.
    const lost = clients.reduce((sum, { retries }) => sum + retries, 0);
    const missing = [...uploaded].filter((key) => !given.has(key));
    const twice = [...given].filter(([, times]) => times > 1);
    const strange = [...given.keys()].filter((key) => !uploaded.has(key));
    return {
      counts: { claims: claimed, "keys given": given.size },
      claims: {
        "no key was given twice": tell(
          twice.map(([key, times]) => `${key} ${times} times`),
        ),
        "no key was given that nobody uploaded": tell(strange),
        "every key was given": tell(missing.length > lost ? missing : []),
      },
    };
  } finally {
    for (const client of [owner, ...clients]) client.close();
    await server.remove();
  }
}

const makeKeys = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, () => [
      `${ALGORITHM}:${randomBytes(9).toString("base64url")}`,
      randomBytes(32).toString("base64").replace("=", ""),
    ]),
  );

/** The keys themselves, of every user and device of an answer. */
function keysIn(answer: object): string[] {
  const { one_time_keys } = answer as {
    one_time_keys: Record<string, Record<string, Record<string, string>>>;
  };
  return Object.values(one_time_keys)
    .flatMap((devices) => Object.values(devices))
    .flatMap((keys) => Object.values(keys));
}
