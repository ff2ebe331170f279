import { hasNio } from "../clients/start-device.ts";
import { EncryptedTalk } from "./encrypted-talk.ts";
import { KILLS, planKills, type Kill } from "./kills.ts";
import {
  NotRun,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { seededChance } from "./random.ts";
import { FaultServer } from "./server.ts";

/** What is said in an encrypted room is read by each device that was in it. */
export const encrypted: ProofCase = {
  name: "encrypted",
  unit: "encrypted message among five devices of two people, while processes are killed and restarted",
  fullUnits: 10_000,
  unitsPerRun: 1_000,
  run: runEncrypted,
};

const MESSAGES_A_FAULT = 100;

const FAULTS: readonly Kill[] = [
  ...KILLS,
  {
    name: "restart of all processes",
    share: 5,
    run: (server) => server.restart(),
  },
];

async function runEncrypted(options: RunOptions): Promise<Outcome> {
  const { seed, units, isFull } = options;
  if (isFull && !hasNio)
    throw new NotRun("Debian's python3-matrix-nio is not installed.");
  const chance = seededChance(seed);
  const server = new FaultServer();
  const talk = new EncryptedTalk(server, chance, units);
  const counts: Record<string, number> = {};
  try {
    await server.start();
    await talk.prepare();
    talk.start();
    const faults = planKills(
      FAULTS,
      chance,
      Math.floor(units / MESSAGES_A_FAULT),
    );
    for (const [i, fault] of faults.entries()) {
      const moment = chance.below(MESSAGES_A_FAULT);
      await talk.progress(i * MESSAGES_A_FAULT + moment);
      await fault.run(server, chance);
      counts[fault.name] = (counts[fault.name] ?? 0) + 1;
      // One of five is followed by another while what it killed starts again.
      if (chance.below(5) > 0) await server.ready();
      if (i === faults.length >> 1) await talk.addDevice();
    }
    await server.ready();
    await talk.progress(units);
    const idle = await server.listIdle();
    const outcome = await talk.finish();
    return {
      counts: { ...outcome.counts, ...counts },
      claims: {
        "every process serves again by itself": idle,
        ...outcome.claims,
      },
    };
  } finally {
    talk.abandon();
    await server.remove();
  }
}
