import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

export interface ReceivedMail {
  from: string;
  to: string[];
  /** As it came, headers first. */
  raw: string;
}

/** A mail server on loopback. */
export interface TestMailServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** The next mail that was not asked for yet. */
  next(): Promise<ReceivedMail>;
  /** Whether it takes mails from now on. */
  isRefusing: boolean;
}

/** Started at once, since its port is a setting; stopped after the specs. */
export async function startMailServer({ hasTls = false } = {}): Promise<
  TestMailServer & { stop(): Promise<void> }
> {
  const mails: ReceivedMail[] = [];
  const waiting: ((mail: ReceivedMail) => void)[] = [];
  let asked = 0;
  const server = new SMTPServer({
    authOptional: true,
    // Its certificate is one that anybody could have made.
    key: readFileSync("test/start/certificates/first.key.pem"),
    cert: readFileSync("test/start/certificates/first.pem"),
    disabledCommands: hasTls ? [] : ["STARTTLS"],
    onAuth({ username, password }, _session, done) {
      if (username === "matrix" && password === "mail secret")
        done(null, { user: username });
      else done(new Error("wrong"));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (made.isRefusing) {
          done(new Error("not now"));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        const mail = {
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString(),
        };
        mails.push(mail);
        waiting.shift()?.(mail);
        done();
      });
    },
  });
  await new Promise<void>((done) =>
    server.listen(0, "127.0.0.1", () => done()),
  );
  const made = {
    port: (server.server.address() as AddressInfo).port,
    mails,
    isRefusing: false,
    next(): Promise<ReceivedMail> {
      const known = mails[asked++];
      if (known) return Promise.resolve(known);
      return new Promise((resolve) => waiting.push(resolve));
    },
    stop: () => new Promise<void>((done) => server.close(() => done())),
  };
  return made;
}
