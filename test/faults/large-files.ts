import { readCpuSeconds } from "../../bench/measure/proc.ts";
import { watchResidentBytes } from "../../bench/measure/resident-peak.ts";
import { measureRoundTrip } from "../../bench/measure/round-trip.ts";
import { MIB } from "../../bench/matrix/files.ts";
import { Client } from "./client.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { FaultServer } from "./server.ts";

export const largeFiles: ProofCase = {
  name: "large-files",
  unit: "MiB of a file that goes up and comes down",
  fullUnits: 3 * 1024,
  unitsPerRun: 1024,
  run: runLargeFiles,
};

const MOST_GROWTH = 64 * MIB;
/** What a process grows by when it does anything for the first time. */
const WARM_UP_MIB = 32;

async function runLargeFiles({ units }: RunOptions): Promise<Outcome> {
  const server = new FaultServer({
    processes: 1,
    environment: { MYELIN_MEDIA_MAX_UPLOAD_BYTES: String(units * MIB + MIB) },
  });
  const client = new Client(server);
  try {
    await server.start();
    await client.register("sender");
    const caller = { url: server.url, token: client.token ?? "" };
    const trip = (mebibytes: number) =>
      measureRoundTrip(caller, mebibytes, () =>
        readCpuSeconds([server.primaryPid]),
      );
    await trip(Math.min(units, WARM_UP_MIB));
    const pids = server.workerPids();
    const memory = watchResidentBytes(
      pids.length > 0 ? pids : [server.primaryPid],
    );
    const { down, isSame, up } = await trip(units);
    const growth = memory.stop() ?? 0;
    const perSecond = (ms: number) => Math.round((units * MIB) / ms / 1000);
    return {
      counts: {
        MiB: units,
        "MB/s up": perSecond(up.ms),
        "MB/s down": perSecond(down.ms),
        "ms of the server's CPU up": up.cpuMs,
        "ms of the server's CPU down": down.cpuMs,
        "MB of memory more": Math.round(growth / 1e6),
      },
      claims: {
        "what came down is what went up": isSame ? [] : ["it differs"],
        "memory grew by no more than 64 MiB":
          growth <= MOST_GROWTH ? [] : [`by ${growth} bytes`],
      },
    };
  } finally {
    client.close();
    await server.remove();
  }
}
