import { join } from "node:path";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { composeApps } from "../../src/compose-app.ts";
import { composeEdges } from "../../src/compose-edges.ts";
import { loadConfig } from "../../src/config/load.ts";
import { registerAccount } from "../../src/domain/accounts/register.ts";
import type { Edges } from "../../src/edges.ts";
import { createListener, type Listener } from "../../src/http/listener.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { derive } from "../../src/util/derive.ts";
import { PASSWORD } from "../matrix/account.ts";
import type { ActServerReady } from "./acts.ts";

/**
 * A process that serves as ours do, or whose committer leaves the records of the audit log
 * out: what they cost is the difference. There is no such setting of the program itself.
 */
const [databaseUrl = "", dataFolder = "", records = "on"] =
  process.argv.slice(2);

const quiet = () => undefined;
const log = {
  ...{ debug: quiet, info: quiet, warn: quiet },
  error(details: object, message: string) {
    process.stderr.write(`${message}: ${JSON.stringify(details)}\n`);
  },
};

const withoutRecords = (committer: Edges["committer"]): Edges["committer"] => ({
  async commit({ audit = [], ...write }) {
    const isRecordAlone =
      audit.length > 0 && write.positions === 0 && !write.rows;
    return isRecordAlone
      ? { status: "committed", firstPosition: 0, lastPosition: 0, upTo: 0 }
      : committer.commit(write);
  },
});

const viewOf = (edges: Edges): Edges =>
  records === "on"
    ? edges
    : derive(edges, { committer: withoutRecords(edges.committer) });

const config = loadConfig({ environment: process.env });
const sql = openDatabase(databaseUrl, { poolSize: 10, log });
const composed = await composeEdges({
  ...{ config, sql, log, dataFolder },
  secretSource: { keysDir: join(dataFolder, "keys"), given: new Map() },
  mediaFolder: join(dataFolder, "media"),
  now: () => Date.now(),
});
const apps = composeApps(
  config,
  {
    edges: viewOf(composed.edges),
    edgesOfRequest: (...asked) => viewOf(composed.edgesOfRequest(...asked)),
  },
  [],
);
const respond: Listener = apps.admin;
const server = createListener((request, response) =>
  respond(request, response),
);
server.listen(0, "127.0.0.1");
await once(server, "listening");

const register = async (localpart: string, systemAdminBy?: string) => {
  const opened = await registerAccount(
    composed.edges,
    {
      ...{ localpart, password: PASSWORD },
      ...(systemAdminBy !== undefined && { systemAdminBy }),
    },
    { canRefresh: false },
  );
  if (!("accessToken" in opened)) throw new TypeError("no session was opened");
  return opened;
};
const admin = await register(`acts-${records}`, "the bench");
const user = await register(`acted-upon-${records}`);
const { port } = server.address() as AddressInfo;
const ready: ActServerReady = {
  url: `http://127.0.0.1:${port}`,
  token: admin.accessToken,
  userId: user.userId,
};
process.stdout.write(`${JSON.stringify(ready)}\n`);
process.on("SIGTERM", () => process.exit(0));
