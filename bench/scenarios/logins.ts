import type { Bench } from "../bench.ts";
import {
  runClosedLoop,
  type LoopResult,
  type Operation,
} from "../load/closed-loop.ts";
import { runOpenLoop } from "../load/open-loop.ts";
import { measureLoad, valuesOf } from "../measure/measure-load.ts";
import { measureInTurns } from "../measure/in-turns.ts";
import { startMeter } from "../measure/meter.ts";
import { PASSWORD, type Account } from "../matrix/account.ts";
import { spreadSenders } from "./sends.ts";
import type { Values } from "../report/measurement.ts";
import { combineRounds, ratiosOf } from "../report/rounds.ts";

const SCENARIO = "B6";
const LOGINS_AT_ONCE = 16;
const SENDERS = 64;
const ROOMS = 8;
const PROBES_PER_SECOND = 20;

/** B6: password logins alone, then beside sends at a fixed rate. */
export async function measureLogins(bench: Bench): Promise<void> {
  const accounts = await bench.accounts.create(LOGINS_AT_ONCE);
  const login: Operation = (worker) => logIn(accounts[worker]!);
  const report = (title: string, values: Values) =>
    bench.report({ scenario: SCENARIO, title, values });
  report(
    "logins alone",
    await measureLoad(bench, { workers: LOGINS_AT_ONCE, operation: login }),
  );
  const send = await spreadSenders(bench, SENDERS, ROOMS);
  await besides(bench, send, undefined, bench.options.warmUpSeconds);
  const rate = `${bench.options.besideRate} sends/s`;
  const quiet: Besides[] = [];
  const stormy: Besides[] = [];
  const turn = async (rounds: Besides[], beside: Operation | undefined) => {
    const round = await besides(bench, send, beside);
    rounds.push(round);
    return round.sends;
  };
  const [alone, beside] = await measureInTurns(bench.options.rounds, [
    () => turn(quiet, undefined),
    () => turn(stormy, login),
  ]);
  const reportAll = (title: string, rounds: readonly Values[]) =>
    report(title, combineRounds(rounds));
  const probesOf = (rounds: readonly Besides[]) =>
    rounds.map(({ probes }) => probes);
  reportAll(`${rate} without logins`, alone!);
  reportAll(`a cheap question beside ${rate}`, probesOf(quiet));
  reportAll(`${rate} beside logins`, beside!);
  reportAll(`a cheap question beside ${rate} and logins`, probesOf(stormy));
  reportAll(
    `logins beside ${rate}`,
    stormy.flatMap(({ logins }) => logins ?? []),
  );
  report(`${rate} beside logins against without`, ratiosOf(alone!, beside!));
}

interface Besides {
  readonly sends: Values;
  /** Told with the longest time that the server's event loop was late, if known. */
  readonly probes: Values;
  readonly logins: Values | undefined;
}

/** Sends at their rate, and beside them logins and what tells how long the server was deaf. */
async function besides(
  bench: Bench,
  send: Operation,
  login: Operation | undefined,
  seconds = bench.options.seconds,
): Promise<Besides> {
  await bench.target.longestLoopDelayMs();
  const meter = startMeter(bench.target);
  const [sends, probes, logins] = await Promise.all([
    runOpenLoop({
      perSecond: bench.options.besideRate,
      seconds,
      operation: (turn) => send(turn % SENDERS, turn),
    }),
    runOpenLoop({
      perSecond: PROBES_PER_SECOND,
      seconds,
      operation: () => probe(bench),
    }),
    login &&
      runClosedLoop({ workers: LOGINS_AT_ONCE, seconds, operation: login }),
  ]);
  const loopMs = await bench.target.longestLoopDelayMs();
  return {
    sends: login ? withoutCpu(sends) : valuesOf(sends, meter),
    probes: { ...withoutCpu(probes), ...(loopMs !== undefined && { loopMs }) },
    logins: logins && withoutCpu(logins),
  };
}

/** The CPU of what ran together cannot be told apart. */
const withoutCpu = ({ latencies, seconds, errors }: LoopResult): Values => ({
  operations: latencies.count,
  ...(errors > 0 && { errors }),
  perSecond: latencies.count / seconds,
  ...latencies.summary(),
});

async function probe(bench: Bench): Promise<boolean> {
  const path = "/_matrix/client/versions";
  const answer = await bench.https[0]!.ask({ method: "GET", path });
  return answer.status === 200;
}

async function logIn({ http, userId }: Account): Promise<boolean> {
  const answer = await http.ask({
    method: "POST",
    path: "/_matrix/client/v3/login",
    body: {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: userId },
      password: PASSWORD,
    },
  });
  return answer.status === 200;
}
