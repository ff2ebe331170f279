import { createTransport } from "nodemailer";
import type { Secret } from "../util/secret.ts";
import type { Mailer } from "./mailer.ts";

export interface MailerOptions {
  host: string;
  port: number;
  /** TLS from the beginning, TLS before anything is said, or none at all. */
  security: "tls" | "starttls" | "none";
  username?: string | undefined;
  password?: Secret | undefined;
  from: string;
}

const TIMEOUT_MS = 15_000;

export function createMailer({
  host,
  port,
  security,
  username,
  password,
  from,
}: MailerOptions): Mailer & { close(): void } {
  const transport = createTransport({
    host,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    ...(username !== undefined &&
      password && { auth: { user: username, pass: password.reveal() } }),
    pool: true,
    maxConnections: 2,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // What a mail holds is ours alone: no file and no address is ever fetched for it.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, html, unsubscribeUrl }) {
      await transport.sendMail({
        from,
        to: { name: "", address: to },
        subject,
        text,
        html,
        headers: {
          "Auto-Submitted": "auto-generated",
          "List-Unsubscribe": `<${unsubscribeUrl}>`,
          "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
      });
    },
    close: () => transport.close(),
  };
}
