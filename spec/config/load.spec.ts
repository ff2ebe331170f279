import { inspect } from "node:util";
import { Ajv } from "ajv";
import { expect } from "chai";
import { ConfigError } from "../../src/config/fault.ts";
import { listSettings } from "../../src/config/leaves.ts";
import { loadConfig } from "../../src/config/load.ts";
import { readYaml } from "../../src/config/read-yaml.ts";
import { configSchema } from "../../src/config/schema.ts";
import { sectionSchema } from "../../src/config/validator.ts";

type Sources = Omit<Parameters<typeof loadConfig>[0], "file"> & {
  yaml?: string;
};

const loadText = ({ yaml, ...others }: Sources) =>
  loadConfig({
    ...others,
    ...(yaml !== undefined && { file: readYaml(yaml) }),
  });

function faultsOf(sources: Sources): Record<string, string> {
  try {
    loadText(sources);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.faults.map((f) => [f.path, f.problem]));
  }
  return {};
}

describe("loadConfig", () => {
  it("checks by a schema that is one", () => {
    const ajv = new Ajv({ allErrors: true });
    ajv.addVocabulary(["secret", "example"]);
    expect(ajv.validateSchema(sectionSchema(configSchema))).to.equal(true);
  });

  it("needs no file", () => {
    const config = loadConfig({});
    expect(config.serverName).to.equal("localhost");
    expect(config.listen).to.deep.equal({ host: "127.0.0.1", port: 8008 });
    expect(config.registration.mode).to.equal("closed");
    expect(config.server.processes).to.equal("auto");
    expect(config.defaultRoomVersion).to.equal("12");
  });

  it("is frozen all through", () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config)).to.equal(true);
    expect(Object.isFrozen(config.rateLimits.login)).to.equal(true);
  });

  it("reports every fault at once, each with its path and what was expected", () => {
    const yaml = `
server_name: Bad Name
listen: { port: eight, prot: 1 }
tls: { certificate: a.pem }
server: { processes: many }
default_room_version: 11
rate_limits: 7
trusted_proxies: [nowhere]
surprise: 1
`;
    const faults = faultsOf({ yaml, environment: { MYELIN_WRONG: "1" } });
    expect(faults).to.have.all.keys(
      ...["server_name", "listen.port", "listen.prot", "tls.private_key"],
      ...["server.processes", "default_room_version", "rate_limits"],
      ...["trusted_proxies.0", "trusted_proxies", "surprise", "MYELIN_WRONG"],
    );
    expect(faults["listen.port"]).to.include("a whole number");
    expect(faults["listen.prot"]).to.include("one of host, port");
    expect(faults["tls.private_key"]).to.include("tls.certificate is set");
  });

  it("takes server names that user ids can end with, and no others", () => {
    for (const name of ["a", "a.b:8448", "127.0.0.1", "'[::1]:1'"]) {
      expect(faultsOf({ yaml: `server_name: ${name}` })).to.deep.equal({});
    }
    for (const name of ["A.b", "a.b:65536", "a.b:0", "'[:::]'", "-a", "a_b"]) {
      const faults = faultsOf({ yaml: `server_name: ${name}` });
      expect(faults, name).to.have.property("server_name");
    }
  });

  it("refuses an address of PostgreSQL that cannot be decoded, without telling it", () => {
    const url = "postgres://myelin:canary%zz@db.example/myelin";
    const faults = faultsOf({ environment: { MYELIN_DATABASE_URL: url } });
    expect(faults["database.url"])
      .to.include("percent-encoded")
      .and.not.include("canary");
  });

  it("takes networks, hosts and patterns where other machines are named, and nothing else", () => {
    const faultsIn = (path: string, values: readonly string[]) => {
      const [section, name] = path.split(".");
      const yaml = JSON.stringify({ [section!]: { [name!]: values } });
      return Object.keys(faultsOf({ yaml }));
    };
    const cases = {
      "egress.allow": [
        ["10.0.0.0/8", "::1", "fd00::/8", "push.example.org", "*.example.org"],
        ["10.0.0.0/33", "*", "http://a", "a:80", "a/b", "a b", ""],
      ],
      "egress.deny": [
        ["*", "10.1.2.3", "example.org"],
        ["*:80", "a/b"],
      ],
      "url_previews.deny": [
        ["*", "*.example.org", "https://*:8443", "a/b/*", "[::1]:80/x"],
        ["", "a b", "https://", "a:b", "[::1", "a?b"],
      ],
      "turn.uris": [[], ["http://a", "turn:", "turn:a?transport=x"]],
    } as const;
    for (const [path, [right, wrong]] of Object.entries(cases)) {
      expect(faultsIn(path, right), path).to.deep.equal([]);
      const paths = wrong.map((_, n) => `${path}.${n}`);
      expect(faultsIn(path, wrong), path).to.include.members(paths);
    }
  });

  it("wants a secret with a TURN server, and JSON for what else clients find", () => {
    const turn = "turn: { uris: ['turn:turn.example.org?transport=udp'] }";
    expect(faultsOf({ yaml: turn })).to.have.all.keys("turn.shared_secret");
    for (const [extra, isRight] of [
      ['{"a":{"b":[1]}}', true],
      ["[]", false],
      ["{", false],
      ['{"m.homeserver":{}}', false],
    ] as const) {
      const yaml = JSON.stringify({ well_known: { extra } });
      const keys = Object.keys(faultsOf({ yaml }));
      expect(keys, extra).to.deep.equal(isRight ? [] : ["well_known.extra"]);
    }
  });

  it("wants one version of each policy, and policies where consent is required", () => {
    const policy = (version: string, locale: string) =>
      `terms ${version} ${locale} https://example.org/terms Terms`;
    for (const [privacy, wrong] of [
      [{ policies: [policy("1", "en"), policy("1", "zh-CN")] }, []],
      [
        { policies: [policy("1", "en"), policy("2", "zh-CN")] },
        ["privacy.policies"],
      ],
      [{ policies: ["terms"] }, ["privacy.policies.0"]],
      [{ require_consent: true }, ["privacy.require_consent"]],
    ] as const) {
      const yaml = JSON.stringify({ privacy });
      expect(Object.keys(faultsOf({ yaml })), yaml).to.deep.equal(wrong);
    }
  });

  it("says where the YAML is broken", () => {
    expect(faultsOf({ yaml: "a: 1\nb: [\n" })).to.have.property("line 3");
    expect(
      faultsOf({ yaml: "server_name: a\nserver_name: b" }),
    ).to.have.property("line 2");
    expect(faultsOf({ yaml: "- a list" })).to.have.property("");
  });

  it("refuses __proto__ as any other unknown setting", () => {
    expect(faultsOf({ yaml: "__proto__: { polluted: true }" })).to.not.be.empty;
    expect({}).to.not.have.property("polluted");
  });

  it("refuses an address that others can reach without TLS", () => {
    const reaches = (host: string) =>
      faultsOf({ yaml: `listen: { host: "${host}" }` })["listen.host"];
    expect(reaches("0.0.0.0")).to.include("behind_proxy");
    expect(reaches("::")).to.include("behind_proxy");
    expect(reaches("192.168.1.4")).to.include("behind_proxy");
    expect(reaches("127.0.0.2")).to.equal(undefined);
    expect(reaches("::1")).to.equal(undefined);
    const behind = "listen: { host: 0.0.0.0 }\nbehind_proxy: true";
    expect(faultsOf({ yaml: behind })).to.be.empty;
    const tls =
      "listen: { host: 0.0.0.0 }\ntls: { certificate: a, private_key: b }";
    expect(faultsOf({ yaml: tls })).to.be.empty;
  });

  it("refuses an S3 store without a bucket, and half of its credentials", () => {
    const faults = faultsOf({
      yaml: "media: { store: s3, s3: { access_key_id: a } }",
    });
    expect(faults["media.s3.bucket"]).to.include("media.store: s3");
    expect(Object.keys(faults)).to.have.length(2);
    const whole = "media: { store: s3, s3: { bucket: files } }";
    expect(faultsOf({ yaml: whole })).to.be.empty;
  });

  it("wraps secrets so that nothing shows them", () => {
    const url = "postgres://myelin:hunter2hunter2@db/myelin";
    const secret = "a secret that is long enough";
    const config = loadText({
      yaml: `database: { url: "${url}" }\nregistration: { shared_secret: ${secret} }`,
    });
    for (const shown of [
      JSON.stringify(config),
      inspect(config, { depth: 9 }),
    ]) {
      expect(shown).to.not.include("hunter2").and.not.include(secret);
    }
    expect(config.database.url?.reveal()).to.equal(url);
    expect(config.registration.sharedSecret?.reveal()).to.equal(secret);
  });

  it("keeps a secret out of its fault", () => {
    const faults = faultsOf({
      environment: {
        MYELIN_REGISTRATION_SHARED_SECRET: "hunter2",
        MYELIN_DATABASE_URL: "mysql://hunter2@db",
      },
    });
    expect(faults).to.have.all.keys(
      "registration.shared_secret",
      "database.url",
    );
    expect(JSON.stringify(faults)).to.not.include("hunter2");
  });
});

describe("environment variables", () => {
  const load = (environment: Record<string, string>) =>
    loadConfig({ environment });

  it("name each setting by one name", () => {
    const names = listSettings(configSchema).map((s) => s.variable);
    expect(names.length).to.be.above(30);
    expect(new Set(names).size).to.equal(names.length);
    expect(names).to.include("MYELIN_REGISTRATION_SHARED_SECRET");
    expect(names).to.include("MYELIN_RATE_LIMITS_CREATE_ROOM_PER_SECOND");
  });

  it("set values of every type", () => {
    const config = load({
      MYELIN_SERVER_NAME: "example.org",
      MYELIN_RATE_LIMITS_ENABLED: "false",
      MYELIN_RATE_LIMITS_LOGIN_PER_SECOND: "0.5",
      MYELIN_SERVER_PROCESSES: "3",
      MYELIN_BEHIND_PROXY: "true",
      MYELIN_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
    });
    expect(config.serverName).to.equal("example.org");
    expect(config.rateLimits.enabled).to.equal(false);
    expect(config.rateLimits.login.perSecond).to.equal(0.5);
    expect(config.server.processes).to.equal(3);
    expect(config.trustedProxies).to.deep.equal(["10.0.0.0/8", "::1"]);
  });

  it("win over the file, and the command line over them", () => {
    const yaml = "listen: { port: 1 }\nserver_name: file.example";
    const environment = {
      MYELIN_LISTEN_PORT: "2",
      MYELIN_SERVER_NAME: "environment.example",
    };
    const overrides = new Map([["listen.port", 3]]);
    const config = loadText({ yaml, environment, overrides });
    expect(config.listen.port).to.equal(3);
    expect(config.serverName).to.equal("environment.example");
  });

  it("count as unset when empty", () => {
    expect(load({ MYELIN_DATABASE_URL: "" }).database.url).to.equal(undefined);
  });

  it("are refused when unknown or of a wrong type", () => {
    expect(
      faultsOf({
        environment: { MYELIN_SERVER_NAM: "x", MYELIN_LISTEN_PORT: "x" },
      }),
    ).to.have.all.keys("MYELIN_SERVER_NAM", "listen.port");
  });
});
