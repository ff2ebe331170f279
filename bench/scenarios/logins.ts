import type { Bench } from "../bench.ts";
import {
  runClosedLoop,
  type LoopResult,
  type Operation,
} from "../load/closed-loop.ts";
import { runOpenLoop } from "../load/open-loop.ts";
import { measureLoad, valuesOf } from "../measure/measure-load.ts";
import { startMeter } from "../measure/meter.ts";
import { PASSWORD, type Account } from "../matrix/account.ts";
import { spreadSenders } from "./sends.ts";
import type { Values } from "../report/measurement.ts";

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
  const quiet = await besides(bench, send, undefined);
  report(`${rate} without logins`, quiet.sends);
  report(`a cheap question beside ${rate}`, quiet.probes);
  const stormy = await besides(bench, send, login);
  report(`${rate} beside logins`, stormy.sends);
  report(`a cheap question beside ${rate} and logins`, stormy.probes);
  if (stormy.logins) report(`logins beside ${rate}`, stormy.logins);
  const growth = (stormy.sends.p99Ms ?? NaN) / (quiet.sends.p99Ms ?? NaN);
  report(`p99 of ${rate} beside logins against without`, { growth });
}

/** Sends at their rate, and beside them logins and what tells how long the server was deaf. */
async function besides(
  bench: Bench,
  send: Operation,
  login: Operation | undefined,
  seconds = bench.options.seconds,
): Promise<{ sends: Values; probes: Values; logins: Values | undefined }> {
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
  return {
    sends: login ? withoutCpu(sends) : valuesOf(sends, meter),
    probes: withoutCpu(probes),
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
