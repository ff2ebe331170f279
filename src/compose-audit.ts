import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config/schema.ts";
import type { AuditOutside } from "./edges.ts";
import type { Egress } from "./remote/egress.ts";
import { createSyslog } from "./remote/syslog.ts";
import { createAuditWebhook } from "./remote/audit-webhook.ts";
import { createAnchorFile } from "./storage/anchor-file.ts";
import type { AuditSink } from "./util/audit-sinks.ts";

/** Where the ends of the audit log are kept, and where its records go. */
export async function composeAudit(
  { anchors, stream, syslogCa }: Config["audit"],
  { dataFolder, egress, now }: Needs,
): Promise<AuditOutside & { close(): void }> {
  const ca =
    syslogCa === undefined ? {} : { ca: await readFile(syslogCa, "utf8") };
  const kept: AuditSink[] = [
    createAnchorFile(
      anchors.file ?? join(dataFolder, "audit-checkpoints.ndjson"),
    ),
  ];
  if (anchors.syslog !== undefined)
    kept.push(
      createSyslog({ url: anchors.syslog, ...ca, messageId: "checkpoint" }),
    );
  const bucket = await composeBucket(anchors.s3, now);
  if (bucket) kept.push(bucket);
  const told: AuditOutside["streams"][number][] = [];
  if (stream.syslog !== undefined)
    told.push({
      format: "cef",
      sink: createSyslog({ url: stream.syslog, ...ca, messageId: "audit" }),
    });
  if (stream.webhook !== undefined)
    told.push({
      format: "json",
      sink: createAuditWebhook(
        egress,
        stream.webhook,
        stream.webhookToken?.reveal(),
      ),
    });
  return { anchors: kept, streams: told, close: () => bucket?.close() };
}

interface Needs {
  dataFolder: string;
  egress: Egress;
  now(): number;
}

async function composeBucket(
  s3: Config["audit"]["anchors"]["s3"],
  now: () => number,
) {
  const { bucket, endpoint, region, prefix, accessKeyId } = s3;
  if (bucket === undefined) return undefined;
  // Its client takes long to load, and few need it.
  const { createAnchorBucket } = await import("./remote/anchor-s3.ts");
  const { secretAccessKey, pathStyle, retentionDays } = s3;
  return createAnchorBucket({
    ...{ bucket, region, prefix, isPathStyle: pathStyle, retentionDays, now },
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey && {
        credentials: {
          accessKeyId,
          secretAccessKey: secretAccessKey.reveal(),
        },
      }),
  });
}
