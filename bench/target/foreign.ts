import { readDatabaseSize } from "../measure/database-size.ts";
import { readFolderSize } from "../measure/folder-size.ts";
import { Http, parseAnswer } from "../matrix/http.ts";
import type { Options } from "../options.ts";
import { processesOf, type Target } from "./target.ts";

/** A homeserver that somebody else started. */
export async function openForeign(options: Options): Promise<Target> {
  const { targets: urls, database, dataFolder } = options;
  return {
    urls,
    registration: {
      secret: options.secret,
      token: options.registrationToken,
    },
    settings: { server: await readVersion(urls[0] ?? "") },
    databaseUrl: database,
    ...processesOf(() => options.pids),
    async storedBytes() {
      if (database !== undefined) return readDatabaseSize(database);
      return dataFolder === undefined ? undefined : readFolderSize(dataFolder);
    },
    longestLoopDelayMs: async () => undefined,
    collect: async () => undefined,
    stop: async () => undefined,
  };
}

interface Version {
  server?: { name?: string; version?: string };
}

/** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1version */
async function readVersion(url: string): Promise<string> {
  const http = new Http(url);
  try {
    const path = "/_matrix/federation/v1/version";
    const answer = await http.ask({ method: "GET", path });
    if (answer.status !== 200) return url;
    const { server } = parseAnswer<Version>(answer);
    return `${server?.name ?? "?"} ${server?.version ?? "?"}`;
  } finally {
    await http.close();
  }
}
