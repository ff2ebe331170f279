import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "./config/schema.ts";
import { composeApps } from "./compose-app.ts";
import { composeConnections } from "./compose-connections.ts";
import { publicBaseUrlOf } from "./compose-settings.ts";
import { composeEdges, type ComposedEdges } from "./compose-edges.ts";
import { destroyReleasedContents } from "./domain/jobs/destroy-released.ts";
import { certifyErasures } from "./domain/jobs/certify-erasures.ts";
import { keepRetention } from "./domain/jobs/keep-retention.ts";
import { watchIncidents } from "./domain/jobs/watch-incidents.ts";
import { watchAudit } from "./domain/jobs/watch-audit.ts";
import {
  startCountingDownloads,
  watchDownloads,
} from "./domain/jobs/watch-downloads.ts";
import { clearMedia } from "./domain/jobs/clear-media.ts";
import { endActing } from "./domain/jobs/end-acting.ts";
import { eraseAccounts } from "./domain/jobs/erase-accounts.ts";
import {
  forgetAdminTasks,
  startAdminTasks,
} from "./domain/jobs/do-admin-tasks.ts";
import { forgetApprovals } from "./domain/jobs/forget-approvals.ts";
import { finishDeactivations } from "./domain/jobs/finish-deactivations.ts";
import { forgetDelayedEvents } from "./domain/jobs/forget-delayed-events.ts";
import { forgetSlidingStates } from "./domain/jobs/forget-sliding-states.ts";
import { forgetTransactions } from "./domain/jobs/forget-transactions.ts";
import { pruneAudit } from "./domain/jobs/prune-audit.ts";
import { signCheckpoints } from "./domain/jobs/sign-checkpoints.ts";
import { purgeKeyBackups } from "./domain/jobs/purge-key-backups.ts";
import { forgetUrlPreviews } from "./domain/jobs/forget-url-previews.ts";
import { startDelayedEvents } from "./domain/jobs/send-delayed-events.ts";
import { tellReads } from "./domain/jobs/tell-reads.ts";
import { bringCheckpoints, streamAudit } from "./domain/jobs/tell-audit.ts";
import { startJobs } from "./domain/jobs/start-jobs.ts";
import { indexWords } from "./domain/search/index-words.ts";
import { startPushing } from "./domain/push/start-pushing.ts";
import type { Edges } from "./edges.ts";
import type { Middleware } from "./http/context.ts";
import { createHealthRoutes } from "./http/health.ts";
import { createLandingPage } from "./http/landing.ts";
import { createListener, type Listener } from "./http/listener.ts";
import { readTls, watchTls } from "./cli/tls.ts";
import { adminTlsOf, listenForAdministrators } from "./cli/admin-listener.ts";
import { listen } from "./cli/listen.ts";
import { collectOverdue } from "./cli/metrics.ts";
import { prepareDrain } from "./cli/drain.ts";
import { urlOf } from "./cli/url.ts";
import { prepareDatabase } from "./cli/prepare-database.ts";
import type { Sql } from "./storage/database.ts";
import { getOverdue } from "./storage/retention-runs.ts";
import type { Secret } from "./util/secret.ts";

/** What a server gets from the process that it runs in. */
export interface Runtime {
  dataDir: string;
  log: Logger;
  databaseUrl: string;
  /** Keys that the environment gives (MYELIN_KEYS_<NAME>), by lower-case name. */
  secrets: ReadonlyMap<string, Secret>;
  /** Ends the process: what it remembers is of no use. */
  abandon(): void;
}

export interface RunningServer {
  /** Where it listens. */
  url: string;
  /** Finishes what has begun, within 10 s. */
  stop(): Promise<void>;
}

/** Opens the database, brings it up to date, and listens. */
export async function startServer(
  config: Config,
  runtime: Runtime,
): Promise<RunningServer> {
  const { databaseUrl, log } = runtime;
  const sql = await prepareDatabase(config, databaseUrl, log);
  try {
    return await serve(config, runtime, sql);
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

async function serve(
  config: Config,
  { log, dataDir, secrets, abandon }: Runtime,
  sql: Sql,
): Promise<RunningServer> {
  const tls = await readTls(config.tls);
  const notYet: Listener = async (_request, response) => {
    response.destroy();
  };
  let respond = notYet;
  let respondToAdministrators = notYet;
  const headersTimeoutMs = config.limits.headerSeconds * 1000;
  const server = createListener(
    (request, response) => respond(request, response),
    {
      ...(tls && { tls }),
      headersTimeoutMs,
      connections: composeConnections(config, log),
    },
  );
  const adminTls = adminTlsOf(config, tls);
  const adminServer = createListener(
    (request, response) => respondToAdministrators(request, response),
    { ...(adminTls && { tls: adminTls }), headersTimeoutMs },
  );
  const drains = [prepareDrain(server), prepareDrain(adminServer)];
  await listen(server, config.listen, "listen");
  const url = urlOf(server, config.listen.host, tls ? "https" : "http");
  const publicBaseUrl = publicBaseUrlOf(config, url);
  let composed: ComposedEdges;
  try {
    const admin = await listenForAdministrators(adminServer, config, {
      dataFolder: dataDir,
      isTls: adminTls !== undefined,
      log,
    });
    log.info({ admin }, "administrators are served there");
    composed = await composeEdges({
      config,
      sql,
      log,
      publicBaseUrl,
      mediaFolder: join(dataDir, "media"),
      dataFolder: dataDir,
      now: () => Date.now(),
      secretSource: { keysDir: join(dataDir, "keys"), given: secrets },
    });
  } catch (error) {
    server.close();
    adminServer.close();
    throw error;
  }
  composed.edges.notifier.onRewound((places) => {
    log.error(
      places,
      "The database is older than what this process has seen: it was restored from a backup. The process ends, to begin anew.",
    );
    abandon();
  });
  if (config.metrics.enabled) await collectOverdue(() => getOverdue(sql));
  const pages = createPages(config, publicBaseUrl, sql);
  const apps = composeApps(config, composed, pages);
  respond = apps.client;
  respondToAdministrators = apps.admin;
  const jobs = startJobs<Edges>(
    () => composed.edges,
    [
      forgetTransactions,
      forgetUrlPreviews,
      destroyReleasedContents,
      forgetDelayedEvents,
      forgetSlidingStates,
      forgetAdminTasks,
      forgetApprovals,
      finishDeactivations,
      eraseAccounts,
      certifyErasures,
      tellReads,
      watchIncidents,
      endActing,
      purgeKeyBackups,
      keepRetention,
      signCheckpoints,
      bringCheckpoints,
      pruneAudit,
      clearMedia,
      indexWords,
    ],
  );
  const streams = startJobs<Edges>(
    () => composed.edges,
    composed.edges.audit.streams.length > 0 ? [streamAudit] : [],
    2_000,
  );
  const watches = startJobs<Edges>(
    () => composed.edges,
    config.alerts.enabled ? [watchAudit, watchDownloads] : [],
    10_000,
  );
  const downloads = startCountingDownloads(() => composed.edges);
  const adminTasks = startAdminTasks(() => composed.edges);
  const pushing = startPushing(() => composed.edges);
  const delayedEvents = startDelayedEvents(() => composed.edges);
  composed.onStall((ms) => {
    log.error({ ms: Math.round(ms) }, "the process did not run for a while");
    // What waits there was given up by clients that have written on elsewhere.
    server.closeAllConnections();
    adminServer.closeAllConnections();
  });
  const unwatch = [server, adminServer].map((each) =>
    watchTls(config.tls, each, log),
  );
  return {
    url,
    async stop() {
      for (const end of unwatch) end();
      await composed.edges.notifier.close();
      await Promise.all([
        ...drains.map((drain) => drain()),
        jobs.stop(),
        streams.stop(),
        watches.stop(),
        downloads.stop(),
        adminTasks.stop(),
        pushing.stop(),
        delayedEvents.stop(),
      ]);
      await composed.close();
      await sql.end({ timeout: 1 });
    },
  };
}

function createPages(config: Config, baseUrl: string, sql: Sql): Middleware[] {
  return [
    createHealthRoutes(async () => {
      await sql`select 1`;
      return true;
    }),
    createLandingPage({
      baseUrl,
      serverName: config.serverName,
      registration: config.registration.mode,
    }),
  ];
}
