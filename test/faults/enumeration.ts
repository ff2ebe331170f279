import { Client } from "./client.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { seededChance } from "./random.ts";
import { FaultServer } from "./server.ts";

/** Row 55 of the faults and abuse: the time of a refused login tells nobody who exists. */
export const enumeration: ProofCase = {
  name: "enumeration",
  unit: "pair of logins with a wrong password, by a known name and by one that nobody has",
  fullUnits: 10_000,
  unitsPerRun: 10_000,
  run: runEnumeration,
};

const MOST_MS = 1;
const NAMES = 10;
/** The first ones are of a process that is still cold. */
const WARMING = 20;
/** Of the normal distribution, for 95 of 100 intervals. */
const CONFIDENCE = 1.96;

async function runEnumeration(options: RunOptions): Promise<Outcome> {
  const { isFull, seed, units } = options;
  const server = new FaultServer({ processes: 1 });
  const client = new Client(server);
  const chance = seededChance(seed);
  const odd = new Set<string>();
  const measure = async (name: string): Promise<number> => {
    const begun = performance.now();
    const { status, body } = await client.ask("POST", "/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: name },
      password: "a wrong password",
    });
    const ms = performance.now() - begun;
    odd.add(JSON.stringify([status, body["errcode"], body["error"]]));
    return ms;
  };
  try {
    await server.start();
    for (let i = 0; i < NAMES; i += 1) await client.register(`known${i}`);
    client.token = undefined;
    const known: number[] = [];
    const unknown: number[] = [];
    for (let i = -WARMING; i < units; i += 1) {
      const number = chance.below(NAMES);
      // Which comes first is chance: neither always follows the other.
      for (const kind of chance.shuffle(["known", "other"] as const)) {
        const ms = await measure(`${kind}${number}`);
        if (i >= 0) (kind === "known" ? known : unknown).push(ms);
      }
    }
    const difference = meanOf(known) - meanOf(unknown);
    const margin =
      CONFIDENCE *
      Math.sqrt(varianceOf(known) / units + varianceOf(unknown) / units);
    const told = `${difference.toFixed(3)} ms ± ${margin.toFixed(3)}`;
    const halfMs = medianOf(known) / 2;
    const apart = Math.abs(medianOf(known) - medianOf(unknown));
    return {
      counts: {
        pairs: units,
        "µs mean of known names": Math.round(meanOf(known) * 1000),
        "µs mean of unknown names": Math.round(meanOf(unknown) * 1000),
        "µs between the means": Math.round(difference * 1000),
        "µs that it may be off, 95 %": Math.round(margin * 1000),
      },
      claims: {
        "row 55: both are answered in the same words":
          odd.size === 1 ? [] : [...odd],
        // What noise cannot feign: without the work they would be many times apart.
        "row 55: both do the work of a password":
          apart < halfMs
            ? []
            : [`the medians are ${apart.toFixed(2)} ms apart`],
        ...(isFull && {
          "row 55: the means differ by less than 1 ms":
            Math.abs(difference) + margin < MOST_MS ? [] : [told],
        }),
      },
    };
  } finally {
    client.close();
    await server.remove();
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return squares / Math.max(1, values.length - 1);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
