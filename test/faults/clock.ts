import { writeFileSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Client } from "./client.ts";
import { listHalfDone } from "./half-done.ts";
import { Load } from "./load.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { seededChance, type Chance } from "./random.ts";
import { FaultServer } from "./server.ts";

export const clock: ProofCase = {
  name: "clock",
  unit: "jump of the clock of one or all processes by up to ± 1 h",
  fullUnits: 150,
  unitsPerRun: 20,
  run: runClock,
};

const HOUR_MS = 3_600_000;
const POLL_MS = 1000;
/** A second between a jump and what is asked after it. */
const SETTLE_MS = 60;

async function runClock({ seed, units }: RunOptions): Promise<Outcome> {
  const chance = seededChance(seed);
  const folder = mkdtempSync(join(tmpdir(), "myelin-clock-"));
  const file = join(folder, "offsets");
  const jump = (offsets: Record<string, number>) =>
    writeFileSync(file, JSON.stringify(offsets));
  jump({});
  const module = pathToFileURL(join(import.meta.dirname, "shifted-clock.js"));
  const server = new FaultServer({
    environment: {
      NODE_OPTIONS: `--import ${module.href}`,
      FAULTS_CLOCK: file,
      MYELIN_RATE_LIMITS_ENABLED: "true",
      MYELIN_RATE_LIMITS_REGISTER_BURST: "1000",
      MYELIN_RATE_LIMITS_JOIN_BURST: "1000",
      MYELIN_RATE_LIMITS_MESSAGE_PER_SECOND: "20",
      MYELIN_RATE_LIMITS_EPHEMERAL_BURST: "1000",
    },
  });
  const load = new Load(server, chance, { writers: 4, pauseMs: 200 });
  const idler = new Client(server);
  const polls: string[] = [];
  const refused: string[] = [];
  try {
    await server.start();
    await load.prepare();
    await idler.register("idler");
    load.start();
    for (let i = 0; i < units; i += 1) {
      const { next_batch: since } = await idler.must(
        "GET",
        "/sync?timeout=0&set_presence=offline",
      );
      const begun = performance.now();
      const place = `/sync?set_presence=offline&timeout=${POLL_MS}&since=${String(since)}`;
      const poll = idler.must("GET", place).then((answer) => {
        const ms = performance.now() - begun;
        const isEarly = ms < POLL_MS - 100 && !hasNews(answer);
        if (isEarly || ms > POLL_MS + 3000)
          polls.push(`a poll of ${POLL_MS} ms took ${Math.round(ms)} ms`);
      });
      await load.progress(3);
      jump(planJump(chance));
      await pause(SETTLE_MS);
      await load.progress(10);
      await poll;
    }
    const { claims, counts } = await load.finish();
    refused.push(...(await checkLimits(idler, jump)));
    return {
      counts: { jumps: units, ...counts },
      claims: {
        "long polls ended in their time": polls,
        "rate limits neither locked out nor let through": refused,
        "every process serves again by itself": await server.listIdle(),
        ...claims,
        "no work is left half done": await listHalfDone(server.databaseUrl()),
      },
    };
  } finally {
    load.abandon();
    idler.close();
    await server.remove();
    rmSync(folder, { recursive: true });
  }
}

/** The clock may end somebody's presence, which is told. */
function hasNews({ presence }: Record<string, unknown>): boolean {
  return (presence as { events: [] } | undefined)?.events.length !== 0;
}

/** All processes alike, or only one of them. */
function planJump(chance: Chance): Record<string, number> {
  const offset = chance.between(-HOUR_MS, HOUR_MS);
  const whole = chance.pick([-HOUR_MS, HOUR_MS, offset]);
  return chance.pick([{ all: whole }, { "1": whole, all: 0 }]);
}

const BURST = 50;
const PER_SECOND = 20;

/** After an hour forwards and back, sends go on at their rate, not faster and not slower. */
async function checkLimits(
  client: Client,
  jump: (offsets: Record<string, number>) => void,
): Promise<string[]> {
  const { room_id: roomId } = await client.must("POST", "/createRoom", {});
  const room = encodeURIComponent(String(roomId));
  let number = 0;
  const send = async () => {
    number += 1;
    const place = `/rooms/${room}/send/m.room.message/l${number}`;
    const { status } = await client.ask("PUT", place, { body: "x" });
    return status;
  };
  /** How many of so many sends at once pass. */
  const flood = async (count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, send));
    return answers.filter((status) => status === 200).length;
  };
  const faults: string[] = [];
  for (const offset of [0, HOUR_MS, -HOUR_MS, 0]) {
    jump({ all: offset });
    await pause(SETTLE_MS);
    const begun = performance.now();
    const passed = await flood(2 * BURST);
    const seconds = (performance.now() - begun) / 1000;
    const most = BURST + PER_SECOND * (seconds + 1);
    if (passed > most) faults.push(`${passed} of a burst of ${BURST} passed`);
    await pause(1000);
    if ((await flood(5)) === 0)
      faults.push(`nothing passes a second after a jump to ${offset} ms`);
  }
  return faults;
}
