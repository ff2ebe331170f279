import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { pathsOf } from "../../src/http/compile.ts";
import { endpoints } from "../../src/http/endpoints.ts";
import { notImplemented } from "../../src/http/not-implemented.ts";
import { must } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";

interface Told {
  versions: string[];
  unstable_features: Record<string, boolean>;
}

interface Specified {
  method: string;
  path: string;
  added: string | null;
}

/** Parameters are nameless: their names may differ. */
const shapeOf = (method: string, path: string): string =>
  `${method.toUpperCase()} ${path.trim().replaceAll(/\{\w+\}|:[A-Za-z]+/g, "{}")}`;

const CLIENT = "/_matrix/client";

const specified = (
  JSON.parse(
    readFileSync("schema/matrix/client-server.json", "utf8"),
  ) as Specified[]
).map(({ method, path, added }) => ({
  operation: shapeOf(method, path),
  added: added ?? ADDED()[shapeOf(method, path)] ?? "1.1",
}));

/** What the data of the specification leave out. */
function ADDED(): Readonly<Record<string, string>> {
  const relations = `GET ${CLIENT}/v1/rooms/{}/relations/{}`;
  return {
    [`GET ${CLIENT}/v1/mutual_rooms`]: "1.19",
    [`GET ${CLIENT}/v1/auth_metadata`]: "1.15",
    [relations]: "1.3",
    [`${relations}/{}`]: "1.3",
    [`${relations}/{}/{}`]: "1.3",
  };
}

const served = new Set(
  endpoints.flatMap((each) =>
    pathsOf(each).map((path) => shapeOf(each.method, path)),
  ),
);

/**
 * Operations that a server may lack, whatever versions it tells: what else tells clients
 * that they are not there, so that none of them counts on it.
 */
const TOLD_ELSEWHERE: readonly (readonly [by: string, operation: RegExp])[] = [
  ["the capability m.3pid_changes", /\/(?:3pid|email|msisdn)(?:\/|$)/],
  ["the flows of /login", /\/login\/sso\/redirect/],
  ["the capability m.get_login_token", /\/login\/get_token$/],
  ["its own 404, which means that there is none", /\/auth_metadata$/],
  ["application services, which call what they were given", /\/appservice/],
  ["its own empty list of protocols", /\/thirdparty\//],
  ["its own 404: this is no policy server", /\/matrix\/policy_server$/],
  ["its own 404, and no calls are offered", /\/voip\/turnServer$/],
  ["its own 404: widgets ask for it", /\/openid\/request_token$/],
  ["the capability m.account_moderation", /\/admin\/(?:suspend|lock)\//],
  ["who administers, not what is told", /\/admin\/whois\//],
  [
    "that it has been deprecated since r0",
    /\/(?:events|initialSync|events\/\{\})$/,
  ],
];

const isToldElsewhere = (operation: string): boolean =>
  TOLD_ELSEWHERE.some(([, pattern]) => pattern.test(operation));

const compare = (a: string, b: string): number => {
  const [x = [], y = []] = [a, b].map((text) => text.split(".").map(Number));
  return x[0]! - y[0]! || x[1]! - y[1]!;
};

/** Versions that add nothing but behaviour are told too. */
const numbers = Array.from({ length: 19 }, (_, i) => `1.${i + 1}`);

/** `<=1.1` is of the first version with a number. */
function plain(added: string): string {
  return added.replace(/^[<=]+/, "");
}

/** What a version asks for, with all before it, and is not served. */
const missingUpTo = (version: string): string[] =>
  specified
    .filter(({ added }) => compare(plain(added), version) <= 0)
    .map(({ operation }) => operation)
    .filter(
      (operation) => !served.has(operation) && !isToldElsewhere(operation),
    );

/** The versions whose operations are all there. */
function listWhole(): string[] {
  const first = numbers.findIndex((version) => missingUpTo(version).length > 0);
  const whole = first === -1 ? numbers : numbers.slice(0, first);
  return whole.map((version) => `v${version}`);
}

/** What proves that a feature may be told. */
interface Proof {
  /** All of these are served. */
  operations?: readonly string[];
  /** Something is served beneath `/unstable/` here, and this feature tells of it. */
  under?: readonly string[];
  /** A spec says this of it. */
  spec?: readonly [file: string, text: string];
  /** The code knows it by this name, in bodies, queries or rules. */
  named?: string;
}

const RELATIONS = `GET ${CLIENT}/v1/rooms/{}/relations/{}`;
const THREADS = `GET ${CLIENT}/v1/rooms/{}/threads`;

/** Each feature that may be told, and what has to be there for it. */
const FEATURES: Readonly<Record<string, Proof>> = {
  "org.matrix.e2e_cross_signing": {
    operations: [`POST ${CLIENT}/v3/keys/device_signing/upload`],
  },
  "org.matrix.msc2285.stable": {
    spec: ["spec/http/client/receipts.spec.ts", "m.read.private"],
  },
  "org.matrix.msc3771": {
    spec: ["spec/http/client/receipts.spec.ts", "thread_id"],
  },
  "org.matrix.msc3773": {
    spec: ["spec/domain/push/unread.spec.ts", "thread"],
  },
  "org.matrix.msc3952_intentional_mentions": {
    spec: ["spec/domain/push/assess.spec.ts", "m.mentions"],
  },
  "uk.tcpip.msc4133.stable": {
    operations: [
      `GET ${CLIENT}/v3/profile/{}/{}`,
      `PUT ${CLIENT}/v3/profile/{}/{}`,
      `DELETE ${CLIENT}/v3/profile/{}/{}`,
    ],
  },
  "org.matrix.msc4222": {
    spec: ["spec/http/client/sync-state.spec.ts", "state_after"],
  },
  "org.matrix.msc4380.stable": {
    spec: ["spec/http/client/invite-permission.spec.ts", "MSC4380"],
  },
  "org.matrix.msc4155": {
    spec: ["spec/http/client/invite-permission.spec.ts", "MSC4155"],
  },
  "uk.half-shot.msc2666.query_mutual_rooms": {
    under: ["uk.half-shot.msc2666/user/mutual_rooms"],
  },
  "uk.half-shot.msc2666.query_mutual_rooms.stable": {
    operations: [`GET ${CLIENT}/v1/mutual_rooms`],
  },
  "org.matrix.msc3030": {
    operations: [`GET ${CLIENT}/v1/rooms/{}/timestamp_to_event`],
    under: ["org.matrix.msc3030/"],
  },
  "org.matrix.msc3827.stable": {
    spec: ["spec/http/client/public-rooms.spec.ts", "room_types"],
  },
  // What the parts of daily use may tell besides.
  "org.matrix.msc3440.stable": { operations: [RELATIONS, THREADS] },
  "org.matrix.msc3715.stable": { operations: [`${RELATIONS}/{}`] },
  "org.matrix.msc3856.stable": {
    operations: [THREADS],
    under: ["org.matrix.msc3856/"],
  },
  "org.matrix.msc3981": {
    operations: [RELATIONS],
    under: ["rooms/{}/relations/"],
  },
  "org.matrix.msc3874": { named: "org.matrix.msc3874.not_rel_types" },
  "org.matrix.msc3912": { named: "org.matrix.msc3912.with_relations" },
  "org.matrix.msc3391": { under: ["org.matrix.msc3391/"] },
  "org.matrix.msc4306": {
    under: ["io.element.msc4306/", "io.element.msc4308/"],
  },
  "org.matrix.msc4140": { under: ["org.matrix.msc4140/"] },
  "org.matrix.simplified_msc3575": {
    under: ["org.matrix.simplified_msc3575/"],
  },
  "org.matrix.msc3881": { named: "org.matrix.msc3881" },
  "org.matrix.msc4028": { named: ".org.matrix.msc4028.encrypted_event" },
  "org.matrix.msc3882": { operations: [`POST ${CLIENT}/v1/login/get_token`] },
  "org.matrix.msc4108": { under: ["org.matrix.msc4108/"] },
  "io.element.msc4388": { under: ["io.element.msc4388/"] },
  "org.matrix.msc3916.stable": {
    operations: [
      `GET ${CLIENT}/v1/media/config`,
      `GET ${CLIENT}/v1/media/download/{}/{}`,
      `GET ${CLIENT}/v1/media/thumbnail/{}/{}`,
    ],
  },
};

/** Unstable paths that clients try without being told of them, or that a setting opens. */
const PROBED = [
  "im.nheko.summary/",
  "org.matrix.msc3814.v1/",
  "org.matrix.msc4108/",
  "io.element.msc4388/",
];

const UNSTABLE = `${CLIENT}/unstable/`;
const unstablePaths = [...served].flatMap((operation) => {
  const [, path = ""] = operation.split(" ");
  return path.startsWith(UNSTABLE) ? [path.slice(UNSTABLE.length)] : [];
});

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith("/versions.ts"))
  .map((file) => readFileSync(join("src", file), "utf8"));

function faultsOf(name: string): string[] {
  const { operations = [], under = [], spec, named } = FEATURES[name]!;
  return [
    ...operations.filter((operation) => !served.has(operation)),
    ...under.filter(
      (start) => !unstablePaths.some((path) => path.startsWith(start)),
    ),
    ...(spec && !readFileSync(spec[0], "utf8").includes(spec[1]) ? spec : []),
    ...(named && !sources.some((text) => text.includes(named)) ? [named] : []),
  ].map((what) => `${name}: ${what}`);
}

describe("/versions", () => {
  const server = useServer();
  let told: Told;

  before(async () => {
    told = must<Told>(await server.get("/_matrix/client/versions"));
  });

  it("sees what each version added", () => {
    expect(specified).to.have.length.above(150);
    expect(numbers).to.include.members(
      specified.map(({ added }) => plain(added)),
    );
    const named = notImplemented.flatMap(({ operations }) => operations);
    expect(named).to.have.length.above(20);
  });

  it("claims the versions whose operations are all there, and no other", () => {
    expect(told.versions).to.deep.equal(["r0.6.1", ...listWhole()]);
    expect(told.versions.at(-1)).to.equal("v1.19");
  });

  it("tells no feature without what it stands for", () => {
    const names = Object.keys(told.unstable_features).filter(
      (name) => told.unstable_features[name],
    );
    const unproved = names.filter((name) => !(name in FEATURES));
    expect(unproved, "features without a proof in this spec").to.deep.equal([]);
    expect(names.flatMap(faultsOf)).to.deep.equal([]);
  });

  it("tells of every unstable path that is served", () => {
    expect(unstablePaths).to.have.length.above(3);
    const starts = Object.entries(FEATURES)
      .filter(([name]) => told.unstable_features[name])
      .flatMap(([, { under = [] }]) => under);
    const untold = unstablePaths.filter(
      (path) => ![...starts, ...PROBED].some((start) => path.startsWith(start)),
    );
    expect(untold).to.deep.equal([]);
  });

  it("and the capabilities name what is told there instead", async () => {
    const user = await server.user("capable");
    const { capabilities } = must<{
      capabilities: Record<string, { enabled?: boolean }>;
    }>(await user.get("/capabilities"));
    expect(capabilities["m.3pid_changes"]?.enabled).to.equal(false);
    const has = (operation: string) => served.has(operation);
    if (capabilities["m.get_login_token"]?.enabled)
      expect(has(`POST ${CLIENT}/v1/login/get_token`)).to.equal(true);
    if ("m.account_moderation" in capabilities)
      expect(has(`PUT ${CLIENT}/v1/admin/suspend/{}`)).to.equal(true);
  });
});
