import type { Bench } from "../bench.ts";
import { runClosedLoop, type Operation } from "../load/closed-loop.ts";
import { Http, type Question } from "../matrix/http.ts";
import { measureInTurns, waitUntilQuiet } from "../measure/in-turns.ts";
import { valuesOf } from "../measure/measure-load.ts";
import { startMeter } from "../measure/meter.ts";
import { readCpuSeconds } from "../measure/proc.ts";
import type { Values } from "../report/measurement.ts";
import { combineRounds, ratiosOf } from "../report/rounds.ts";
import type { ActServer } from "../target/acts.ts";

const SCENARIO = "acts";
const WORKERS = 4;
const ADMIN = "/_synapse/admin";

type Ask = (server: ActServer, turn: number) => Question;

/** What administrators do: an account is changed, a token is made; and an account is read. */
const ACTS: Readonly<Record<string, Ask>> = {
  "an act upon an account": ({ token, userId }, turn) => ({
    ...{ method: "PUT", token },
    path: `${ADMIN}/v2/users/${encodeURIComponent(userId)}`,
    body: { displayname: `name ${turn}` },
  }),
  "a registration token": ({ token }) => ({
    ...{ method: "POST", token, body: {} },
    path: `${ADMIN}/v1/registration_tokens/new`,
  }),
  "a read of an account": ({ token, userId }) => ({
    ...{ method: "GET", token },
    path: `${ADMIN}/v2/users/${encodeURIComponent(userId)}`,
  }),
};

/** What an administrator's requests cost with their records, against the same ones without any. */
export async function measureActs(bench: Bench): Promise<void> {
  const { startActs } = bench.target;
  if (!startActs) {
    bench.say("what records cost is measured of a server started here");
    return;
  }
  const servers = [await startActs("off"), await startActs("on")] as const;
  try {
    for (const [title, ask] of Object.entries(ACTS))
      await measureAct(bench, servers, title, ask);
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function measureAct(
  bench: Bench,
  servers: readonly ActServer[],
  title: string,
  ask: Ask,
): Promise<void> {
  await waitUntilQuiet([bench.target]);
  const https = servers.map(({ url }) => new Http(url));
  const sides = servers.map((server, i) => {
    let turn = 0;
    return () =>
      measure(bench, server, async () => {
        const answer = await https[i]!.ask(ask(server, turn++));
        return answer.status === 200;
      });
  });
  const [without, recorded] = (await measureInTurns(
    bench.options.rounds,
    sides,
  )) as [Values[], Values[]];
  const report = (name: string, values: Values) =>
    bench.report({ scenario: SCENARIO, title: name, values });
  report(`${title}, without its record`, combineRounds(without));
  report(title, combineRounds(recorded));
  report(`${title} against without its record`, ratiosOf(without, recorded));
  await Promise.all(https.map((http) => http.close()));
}

async function measure(
  bench: Bench,
  { pid }: ActServer,
  operation: Operation,
): Promise<Values> {
  const { seconds, warmUpSeconds } = bench.options;
  await runClosedLoop({ workers: WORKERS, seconds: warmUpSeconds, operation });
  const { target } = bench;
  const meter = startMeter({
    ...target,
    cpuSeconds() {
      const others = target.cpuSeconds();
      return others === undefined ? undefined : others + readCpuSeconds([pid]);
    },
  });
  const result = await runClosedLoop({ workers: WORKERS, seconds, operation });
  return valuesOf(result, meter);
}
