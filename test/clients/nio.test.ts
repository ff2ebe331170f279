import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { useDeployment } from "../support/server.ts";

const SCRIPT = join("test", "clients", "nio_talk.py");

/** Debian's package belongs to Debian's Python, which need not be the first one. */
const python = ["python3", "/usr/bin/python3"].find(
  (path) => spawnSync(path, ["-c", "import nio"]).status === 0,
);

interface Talk {
  login: { user_id: string };
  sent: string[];
  alice: [id: string, sender: string, body: string][];
  bob: [id: string, sender: string, body: string][];
  undecryptable: string[];
}

const title = "matrix-nio, encrypted, through two server processes";

if (python === undefined) {
  // No function: mocha counts it neither as passed nor as failed.
  describe(title, () => {
    it("needs Debian's python3-matrix-nio, which is not installed here");
  });
} else {
  describe(title, () => {
    const deployment = useDeployment();
    const folder = mkdtempSync(join(tmpdir(), "myelin-nio-"));
    let talk: Talk;
    before("start two servers and run the talk", async function () {
      this.timeout(180_000);
      const first = await deployment.start();
      const second = await deployment.start();
      const suffix = randomBytes(4).toString("hex");
      const { stdout } = await promisify(execFile)(
        python,
        [SCRIPT, folder, first.url, second.url, suffix],
        { timeout: 90_000 },
      );
      talk = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Talk;
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    it("shows every message once, decrypted, also to one who was away", () => {
      expect(talk.sent).to.have.length(5);
      for (const seen of [talk.alice, talk.bob])
        expect(seen.map(([id]) => id)).to.deep.equal(talk.sent);
      expect(talk.bob.map(([, , body]) => body)).to.deep.equal([
        "hello bob",
        "hello alice",
        "while away 0",
        "while away 1",
        "while away 2",
      ]);
      expect(talk.undecryptable).to.deep.equal([]);
    });
  });
}
