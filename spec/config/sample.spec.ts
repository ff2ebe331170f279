import { readFileSync } from "node:fs";
import { expect } from "chai";
import { loadConfig } from "../../src/config/load.ts";
import { readYaml } from "../../src/config/read-yaml.ts";
import { renderSample } from "../../src/config/sample.ts";

describe("config.sample.yaml", () => {
  it("is what the schema says (write it anew with: myelin config sample)", () => {
    const file = readFileSync("config.sample.yaml", "utf8");
    expect(file).to.equal(renderSample());
  });

  it("sets every default and nothing else", () => {
    const sample = loadConfig({ file: readYaml(renderSample()) });
    expect(sample).to.deep.equal(loadConfig({}));
  });

  it("is right too when its examples are switched on, but for the secret", () => {
    const yaml = renderSample()
      .replace(/^( *)# ?(?=( {2})?[a-z_]+:( |$))/gm, "$1")
      .replace("trusted_proxies:\n#   - ", "trusted_proxies:\n  - ")
      .replace("behind_proxy: false", "behind_proxy: true");
    expect(() => loadConfig({ file: readYaml(yaml) })).to.throw(
      /^The configuration cannot be used:\n {2}registration\.shared_secret: expected a text of at least 16 characters\.$/,
    );
  });
});
