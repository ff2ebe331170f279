import { Writable } from "node:stream";
import { expect } from "chai";
import { createLog } from "../../src/cli/log.ts";
import { Secret } from "../../src/util/secret.ts";

function logInto(format: "json" | "text") {
  const lines: string[] = [];
  const output = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, log: createLog({ level: "info", format }, output, 3) };
}

describe("createLog", () => {
  for (const format of ["json", "text"] as const) {
    it(`row 50: keeps what came from outside in its one line of ${format}, and visible`, () => {
      const { lines, log } = logInto(format);
      const forged =
        'a\r\n{"forged":1}\u001b[31m\u0085\u009b31m\u202eb\u2028c\u2066d\u200f\ufeff\u007f';
      log.info({ userAgent: forged }, `b\nc${forged}`);
      expect(lines).to.have.length(1);
      expect(lines[0]?.trimEnd()).to.not.match(/[^\u0020-\u007e]/);
      if (format === "json")
        expect(JSON.parse(lines[0] ?? "")).to.include({ userAgent: forged });
    });

    it(`shows no secrets in ${format}`, () => {
      const { lines, log } = logInto(format);
      const canary = "hunter2hunter2";
      log.info(
        {
          pepper: new Secret(canary),
          password: canary,
          body: { access_token: canary, user: { refresh_token: canary } },
          headers: { authorization: `Bearer ${canary}` },
        },
        "request",
      );
      expect(lines.join("")).to.include("[secret]").and.not.include(canary);
    });

    it(`tells of an error in ${format} what we wrote, not what the driver quotes`, () => {
      const { lines, log } = logInto(format);
      const cause = Object.assign(new Error("duplicate key"), {
        code: "23505",
        detail: "Key (email)=(bob@example.org) already exists.",
      });
      log.error({ err: new Error("not stored", { cause }) }, "internal error");
      expect(lines.join("")).to.include("duplicate key").and.include("23505");
      expect(lines.join("")).to.not.include("bob@example.org");
    });
  }

  it("names the process in JSON", () => {
    const { lines, log } = logInto("json");
    log.info({}, "hello");
    expect(JSON.parse(lines[0] ?? "")).to.include({
      level: "info",
      process: 3,
      msg: "hello",
    });
  });
});
