import { once } from "node:events";
import type { LookupFunction } from "node:net";
import { hostname } from "node:os";
import { connect } from "node:tls";
import type { AuditLine, AuditSink } from "../util/audit-sinks.ts";

export interface SyslogOptions {
  /** `tls://host:port` */
  url: string;
  /** PEM of who vouches for the server; whom Node trusts, unless told. */
  ca?: string;
  messageId: string;
  /** How its name is resolved; by the system unless told. */
  lookup?: LookupFunction;
}

const PATIENCE_MS = 10_000;
/** The facility of audits, and two severities. */
const FACILITY = 13 * 8;
const [WARNING, INFO] = [4, 6];

/**
 * A syslog server over TLS.
 * https://www.rfc-editor.org/rfc/rfc5424, https://www.rfc-editor.org/rfc/rfc5425
 */
export function createSyslog({
  url,
  ca,
  messageId,
  lookup,
}: SyslogOptions): AuditSink {
  const { hostname: host, port } = new URL(url.replace(/^tls:/, "https:"));
  const name = host.replace(/^\[|\]$/g, "");
  return {
    name: `syslog ${url} ${messageId}`,
    async take(lines) {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const socket = connect({
        host: name,
        port: Number(port || 6514),
        ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
        ...(ca !== undefined && { ca }),
        ...(lookup && { lookup }),
        minVersion: "TLSv1.2",
      });
      const give = () =>
        void socket.destroy(new Error("The syslog server does not answer."));
      signal.addEventListener("abort", give, { once: true });
      try {
        await once(socket, "secureConnect");
        // What it says is nothing to us, and must not fill a buffer.
        socket.resume();
        const bytes = lines.map((line) => frame(messageOf(line, messageId)));
        const ended = once(socket, "close");
        socket.end(Buffer.concat(bytes));
        await ended;
      } finally {
        signal.removeEventListener("abort", give);
        socket.destroy();
      }
    },
  };
}

/** "MSG-LEN SP SYSLOG-MSG" */
const frame = (message: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${message.length} `), message]);

function messageOf(line: AuditLine, messageId: string): Buffer {
  const priority = FACILITY + (line.isWarning ? WARNING : INFO);
  const host = hostname().replace(/[^\x21-\x7e]/g, "") || "-";
  const head = `<${priority}>1 ${new Date(line.ts).toISOString()} ${host} myelin - ${messageId} -`;
  return Buffer.from(`${head} \ufeff${line.text}`);
}
