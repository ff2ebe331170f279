import { setTimeout as wait } from "node:timers/promises";
import { ATTACKS, type Victim } from "../abuse/attacks.ts";
import { attack } from "../abuse/attacker.ts";
import type { Bench } from "../bench.ts";
import { Latencies } from "../load/latencies.ts";
import { runOpenLoop } from "../load/open-loop.ts";
import type { Values } from "../report/measurement.ts";
import { spreadSenders } from "./sends.ts";

const SCENARIO = "abuse";
const POLITE = 32;
const ROOMS = 8;
/** Beside which the others' latencies may no more than double. */
const POLITE_PER_SECOND = 100;
/** Quiet and attacked by turns, so that a noisy machine is as noisy for both. */
const TURNS = 3;
/** Until the attack is at its height, and until it has been cleared away. */
const RISE_MS = 2_000;
const FALL_MS = 1_000;

/** Sends of well-behaved clients without and with each kind of abuse. */
export async function measureAbuse(bench: Bench): Promise<void> {
  const send = await spreadSenders(bench, POLITE, ROOMS);
  const [account] = await bench.accounts.create(1);
  const roomId = await bench.openRoom([account!]);
  const victim: Victim = {
    port: Number(new URL(bench.https[0]!.url).port),
    token: account!.token,
    roomId,
  };
  const seconds = bench.options.seconds / 2;
  const polite = async (latencies: Latencies): Promise<number> => {
    const result = await runOpenLoop({
      perSecond: POLITE_PER_SECOND,
      seconds,
      operation: async (turn, intended) => {
        const isDone = await send(turn % POLITE, turn);
        if (isDone) latencies.add(performance.now() - intended);
        return isDone;
      },
    });
    return result.errors;
  };
  await polite(new Latencies());
  const wanted = bench.options.attack.split(",");
  const names = Object.keys(ATTACKS).filter((name) =>
    wanted.some((part) => name.includes(part)),
  );
  for (const name of names) {
    const quiet = new Latencies();
    const attacked = new Latencies();
    const answers: Record<string, number> = {};
    let errors = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      errors += await polite(quiet);
      const attacker = await attack(name, victim);
      await wait(RISE_MS);
      errors += await polite(attacked);
      for (const [what, count] of Object.entries(await attacker.stop()))
        answers[what] = (answers[what] ?? 0) + count;
      await wait(FALL_MS);
    }
    const values: Values = {
      ...attacked.summary(),
      operations: attacked.count,
      p99Ratio: attacked.summary().p99Ms / quiet.summary().p99Ms,
      ...(errors > 0 && { errors }),
    };
    bench.report({
      scenario: SCENARIO,
      title: `without: ${name}`,
      values: { ...quiet.summary(), operations: quiet.count },
    });
    const told = Object.entries(answers).map(([what, n]) => `${n} × ${what}`);
    bench.report({
      scenario: SCENARIO,
      title: name,
      values,
      note: told.join(", "),
    });
  }
}
