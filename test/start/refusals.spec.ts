import { expect } from "chai";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { useFolder } from "./myelin.ts";

describe("myelin", function () {
  this.timeout(40_000);
  const place = useFolder();
  const runOf = async (
    words: string,
    environment: Record<string, string> = {},
  ) => {
    const run = place.start({ arguments: words.split(" "), environment });
    return { code: await run.ended, ...run, run };
  };

  it("reports all faults of the settings before it touches anything", async () => {
    writeFileSync(
      join(place.folder, "bad.yaml"),
      "listen: {port: x}\nfoo: 1\n",
    );
    const { code, run } = await runOf("serve --config bad.yaml", {
      MYELIN_RATE_LIMITS_ENABLED: "perhaps",
    });
    expect(code).to.equal(1);
    expect(run.stderr).to.match(/listen\.port: expected a whole number/);
    expect(run.stderr).to.match(/foo: is not a known setting/);
    expect(run.stderr).to.match(/rate_limits\.enabled: expected true or false/);
  });

  it("checks settings without a start", async () => {
    const good = await runOf("config check");
    expect(good.code).to.equal(0);
    const { code, run } = await runOf("config check --config bad.yaml");
    expect(code).to.equal(1);
    expect(run.stderr).to.include("foo");
    const missing = await runOf("config check --config none.yaml");
    expect(missing.code).to.equal(1);
    expect(missing.run.stderr).to.include("none.yaml cannot be read");
  });

  it("refuses to listen where others can reach it without TLS", async () => {
    const { code, run } = await runOf("serve", {
      MYELIN_LISTEN_HOST: "0.0.0.0",
    });
    expect(code).to.equal(1);
    expect(run.stderr).to.include("passwords must not cross a network");
  });

  it("names the setting whose address it cannot listen on", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const one = { MYELIN_SERVER_PROCESSES: "1" };
    const two = { MYELIN_SERVER_PROCESSES: "2" };
    for (const processes of [one, two]) {
      const { code, run } = await runOf(`serve --port ${port}`, processes);
      expect(code).to.equal(1);
      expect(run.stderr)
        .to.include(`cannot listen on 127.0.0.1, port ${port}`)
        .and.include("listen.port (or --port)");
    }
    const metrics = await runOf("serve --port 0", {
      ...one,
      MYELIN_METRICS_ENABLED: "true",
      MYELIN_METRICS_PORT: String(port),
    });
    expect(metrics.code).to.equal(1);
    expect(metrics.run.stderr)
      .to.include(`cannot listen on 127.0.0.1, port ${port}`)
      .and.include("metrics.host and metrics.port.");
    taken.close();

    const nowhere = await runOf("serve --port 0", {
      ...one,
      MYELIN_LISTEN_HOST: "nowhere.invalid",
      MYELIN_BEHIND_PROXY: "true",
    });
    expect(nowhere.code).to.equal(1);
    expect(nowhere.run.stderr).to.include("cannot listen on nowhere.invalid");
  });

  it("says that the database cannot be reached, without a stack", async () => {
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const runAgainst = (url: string) =>
      runOf("serve --port 0", { MYELIN_DATABASE_URL: url });
    const { code, run } = await runAgainst(
      `postgres://a:b@127.0.0.1:${port}/c`,
    );
    mute.close();
    expect(code).to.equal(1);
    expect(run.stderr).to.include("The database cannot be reached");
    expect(run.stderr).to.not.include('"stack"');
    const gone = await runAgainst(`postgres://a:b@127.0.0.1:${port}/c`);
    expect(gone.code).to.equal(1);
    expect(gone.run.stderr).to.include("The database cannot be reached");
  });

  it("explains itself to who mistypes", async () => {
    const { code, run } = await runOf("sevre");
    expect(code).to.equal(2);
    expect(run.stderr)
      .to.include('There is no command "sevre')
      .and.include("Usage");
    expect((await runOf("serve --prot 1")).code).to.equal(2);
    const empty = await runOf("serve --port 0 --data ");
    expect(empty.code).to.equal(2);
    expect(empty.run.stderr).to.include("--data expects a folder");
  });
});
