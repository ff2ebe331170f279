import { expect } from "chai";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { useFolder } from "./myelin.ts";

describe("myelin", function () {
  this.timeout(20_000);
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

  it("explains itself to who mistypes", async () => {
    const { code, run } = await runOf("sevre");
    expect(code).to.equal(2);
    expect(run.stderr)
      .to.include('There is no command "sevre')
      .and.include("Usage");
    expect((await runOf("serve --prot 1")).code).to.equal(2);
  });
});
