import { expect } from "chai";
import { once } from "node:events";
import { mkdtemp, readFile, readdir } from "node:fs/promises";
import { createServer, type Server } from "node:tls";
import type { AddressInfo, LookupFunction } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readExportLine } from "../../../src/core/audit-export.ts";
import { auditRecord } from "../../../src/domain/admin/audit-record.ts";
import { runJob, type Job } from "../../../src/domain/jobs/job.ts";
import { signCheckpoints } from "../../../src/domain/jobs/sign-checkpoints.ts";
import {
  bringCheckpoints,
  streamAudit,
} from "../../../src/domain/jobs/tell-audit.ts";
import type { Edges } from "../../../src/edges.ts";
import { createAnchorBucket } from "../../../src/remote/anchor-s3.ts";
import { createAuditWebhook } from "../../../src/remote/audit-webhook.ts";
import { createSyslog } from "../../../src/remote/syslog.ts";
import { createAnchorFile } from "../../../src/storage/anchor-file.ts";
import { quiet } from "../../support/database.ts";
import {
  S3_ACCESS_KEY,
  S3_BUCKET,
  S3_SECRET_KEY,
  useS3Server,
} from "../../support/s3-server.ts";
import { useServer } from "../../support/server.ts";
import { useWeb } from "../../support/web.ts";

const CERTIFICATES = "test/start/certificates";
const RFC5424 =
  /^<(\d+)>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ myelin - (checkpoint|audit) - \ufeff(.*)$/s;

/** The certificate is of this name. */
const lookup: LookupFunction = (_, { all }, done) => {
  if (all) done(null, [{ address: "127.0.0.1", family: 4 }]);
  else done(null, "127.0.0.1", 4);
};

/** Octet-counted messages, as RFC 5425 frames them. */
function messagesIn(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(" ", at);
    const length = Number(bytes.subarray(at, space).toString());
    found.push(bytes.subarray(space + 1, space + 1 + length).toString());
    at = space + 1 + length;
  }
  return found;
}

describe("what of the audit log goes outside", () => {
  const posted: string[] = [];
  let status = 200;
  const web = useWeb({
    "/hook": (response, request) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        if (status === 200) posted.push(Buffer.concat(parts).toString());
        response.writeHead(status).end();
      });
    },
    "/anchors/audit/checkpoint-000000000000007.json": (response, request) => {
      request.resume();
      response.writeHead(200, { etag: '"1"' }).end();
    },
  });
  const s3 = useS3Server();
  const server = useServer({ "egress.allow": ["127.0.0.1"] }, quiet);
  let logs: Server | undefined;
  let received = Buffer.alloc(0);
  let folder = "";
  let port = 0;
  let bucket: ReturnType<typeof createAnchorBucket> | undefined;
  after(() => bucket?.close());

  before("listen for syslog over TLS", async () => {
    folder = await mkdtemp(join(tmpdir(), "myelin-audit-"));
    logs = createServer(
      {
        cert: await readFile(join(CERTIFICATES, "first.pem")),
        key: await readFile(join(CERTIFICATES, "first.key.pem")),
      },
      (socket) =>
        socket.on(
          "data",
          (data) => (received = Buffer.concat([received, data])),
        ),
    );
    logs.listen(0, "127.0.0.1");
    await once(logs, "listening");
    ({ port } = logs.address() as AddressInfo);
  });
  after(() => logs?.close());

  const write = (target: string) =>
    server.edges.committer.commit({
      positions: 1,
      audit: [
        auditRecord(
          { act: "users.lock", actor: "command line", target },
          server.edges.now(),
        ),
      ],
    });
  const runNow = async (edges: Edges, ...jobs: Job<Edges>[]) => {
    for (const job of jobs) {
      await server.database.sql`delete from leases`;
      await runJob(edges, job);
    }
  };

  it("is each checkpoint, in a file, in syslog over TLS and in a bucket", async () => {
    const file = createAnchorFile(join(folder, "deep", "anchors"));
    const ca = await readFile(join(CERTIFICATES, "first.pem"), "utf8");
    const url = `tls://first:${port}`;
    const syslog = createSyslog({ url, ca, lookup, messageId: "checkpoint" });
    bucket = createAnchorBucket({
      ...{ endpoint: s3.endpoint, region: "us-east-1", bucket: S3_BUCKET },
      ...{ prefix: "audit/", isPathStyle: true, retentionDays: 30 },
      credentials: {
        accessKeyId: S3_ACCESS_KEY,
        secretAccessKey: S3_SECRET_KEY,
      },
      now: () => Date.now(),
    });
    const audit = { anchors: [file, syslog, bucket], streams: [] };
    const edges: Edges = { ...server.edges, audit };
    await write("one");
    await runNow(edges, signCheckpoints, bringCheckpoints);
    await write("two");
    await runNow(edges, signCheckpoints, bringCheckpoints, bringCheckpoints);
    const lines = (await readFile(join(folder, "deep", "anchors"), "utf8"))
      .trimEnd()
      .split("\n");
    const read = lines.map((line) => readExportLine(line));
    expect(
      read.map(
        (line) => line?.kind === "checkpoint" && line.signed.checkpoint.seq,
      ),
    ).to.deep.equal([1, 2]);
    const messages = messagesIn(received).map((text) => RFC5424.exec(text)!);
    expect(messages.map(([, , id, text]) => [id, text])).to.deep.equal(
      lines.map((line) => ["checkpoint", line]),
    );
    expect(messages[0]![1]).to.equal("110");
    const stored = await readdir(join(s3.folder, S3_BUCKET, "audit"));
    const names = stored.filter((name) => name.endsWith("_object"));
    expect(names.map((name) => name.slice(0, 26))).to.deep.equal([
      "checkpoint-000000000000001",
      "checkpoint-000000000000002",
    ]);
  });

  it("is kept by a bucket until its time is over, whoever asks it to delete", async () => {
    const locked = createAnchorBucket({
      ...{ endpoint: web.url, region: "us-east-1", bucket: "anchors" },
      ...{ prefix: "audit/", isPathStyle: true, retentionDays: 30 },
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      now: () => 0,
    });
    const line = { seq: 7, ts: 1, text: "{}", isWarning: false };
    await locked.take([line]).finally(() => locked.close());
    expect(web.asked.at(-1)).to.match(
      /^PUT \/anchors\/audit\/checkpoint-0{14}7\.json/,
    );
    const headers = web.headers.at(-1)!;
    expect(headers["x-amz-object-lock-mode"]).to.equal("COMPLIANCE");
    const until = String(headers["x-amz-object-lock-retain-until-date"]);
    expect(Date.parse(until)).to.equal(30 * 24 * 60 * 60 * 1000);
    // Stores take no lock without one.
    expect(headers).to.include.keys("x-amz-checksum-sha256");
  });

  it("is told to no syslog server that nobody vouches for", async () => {
    const before = received.length;
    const url = `tls://first:${port}`;
    const stranger = createSyslog({ url, lookup, messageId: "checkpoint" });
    const line = { seq: 1, ts: 1, text: "secret", isWarning: false };
    const error = await stranger.take([line]).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(Error);
    expect(received.length).to.equal(before);
  });

  it("is each record to whoever watches, once, also where they were away", async () => {
    const { egress } = server.edges;
    const sink = createAuditWebhook(egress, `${web.url}/hook`, "a-token");
    const audit = { anchors: [], streams: [{ sink, format: "json" as const }] };
    const edges: Edges = { ...server.edges, audit };
    status = 503;
    await write("three");
    await runNow(edges, streamAudit);
    expect(posted).to.deep.equal([]);
    status = 200;
    await runNow(edges, streamAudit, streamAudit);
    const told = posted.flatMap(
      (body) => (JSON.parse(body) as { records: { seq: number }[] }).records,
    );
    expect(told.map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    expect(web.headers.at(-1)!.authorization).to.equal("Bearer a-token");
  });

  it("is each record in syslog over TLS, once, as others' tools read it", async () => {
    const ca = await readFile(join(CERTIFICATES, "first.pem"), "utf8");
    const url = `tls://first:${port}`;
    const sink = createSyslog({ url, ca, lookup, messageId: "audit" });
    const audit = { anchors: [], streams: [{ sink, format: "cef" as const }] };
    const edges: Edges = { ...server.edges, audit };
    const before = received.length;
    await runNow(edges, streamAudit);
    const act = { act: "users.lock", actor: "command line" } as const;
    await edges.committer.commit({
      positions: 0,
      audit: [
        {
          ...auditRecord({ ...act, target: "a|b=c" }, edges.now()),
          ...{ result: "denied", reason: "a reason" },
        },
      ],
    });
    await runNow(edges, streamAudit, streamAudit);
    const messages = messagesIn(received.subarray(before)).map((text) => {
      const [, priority, id, cef = ""] = RFC5424.exec(text)!;
      return { priority, id, cef, seq: /externalId=(\d+)/.exec(cef)?.[1] };
    });
    expect(messages.map(({ seq }) => seq)).to.deep.equal(["1", "2", "3", "4"]);
    expect(messages.map(({ id }) => id)).to.deep.equal(Array(4).fill("audit"));
    expect(messages.map(({ priority }) => priority)).to.deep.equal([
      ...["110", "110", "110", "108"],
    ]);
    const { cef } = messages.at(-1)!;
    expect(cef).to.match(/^CEF:0\|Myelin\|Myelin\|1\|users\.lock\|[^|]*\|7\|/);
    expect(cef).to.include("outcome=denied");
    expect(cef).to.include("cs1=a|b\\=c").and.include("msg=a reason");
  });

  it("row 72: calls no webhook within, unless that is allowed", async () => {
    const { edges } = await server.startProcess({ "egress.allow": [] });
    const before = web.connections();
    const sink = createAuditWebhook(edges.egress, `${web.url}/hook`, undefined);
    const line = { seq: 1, ts: 1, text: "{}", isWarning: false };
    const error = await sink.take([line]).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(Error);
    expect(web.connections()).to.equal(before);
  });
});
