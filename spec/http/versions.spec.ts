import { readFileSync } from "node:fs";
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

/** Operations that are still being made: these parts of the client-server API. */
const COMING =
  /\/media\/|\/room_keys\/|\/relations\/|\/threads$|\/pushers\/set$|\/notifications$/;

const claimable = (isThere: (operation: string) => boolean): string[] => {
  const first = numbers.findIndex(
    (version) => !missingUpTo(version).every(isThere),
  );
  const some = first === -1 ? numbers : numbers.slice(0, first);
  return some.map((version) => `v${version}`);
};

/** Of a feature: the operations that have to be served, or the spec that proves what it says. */
interface Proof {
  operations?: readonly string[];
  spec?: readonly [file: string, text: string];
}

const unstable = (method: string, path: string): string =>
  shapeOf(method, `${CLIENT}/unstable/${path}`);
const ROOM = "rooms/{roomId}";

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
    operations: [unstable("GET", "uk.half-shot.msc2666/user/mutual_rooms")],
  },
  "uk.half-shot.msc2666.query_mutual_rooms.stable": {
    operations: [`GET ${CLIENT}/v1/mutual_rooms`],
  },
  "org.matrix.msc3030": {
    operations: [
      unstable("GET", `org.matrix.msc3030/${ROOM}/timestamp_to_event`),
    ],
  },
  "org.matrix.msc3827.stable": {
    spec: ["spec/http/client/public-rooms.spec.ts", "room_types"],
  },
};

/** Unstable paths that clients try without being told of them. */
const PROBED = [/\/im\.nheko\.summary\//];

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

  it("claims no version whose operations are neither there nor coming", () => {
    const most = claimable((operation) => COMING.test(operation));
    const claimed = told.versions.filter((version) => version !== "r0.6.1");
    expect(most).to.include.members(claimed);
    expect(most.at(-1)).to.equal("v1.19");
  });

  it("claims every version whose operations are there: else raise the list", () => {
    const least = claimable(() => false);
    expect(told.versions).to.include.members(least);
    // When nothing is coming any more, what is claimed is what is there.
    const isAllThere = specified.every(
      ({ operation }) => served.has(operation) || !COMING.test(operation),
    );
    if (isAllThere) expect(told.versions).to.deep.equal(["r0.6.1", ...least]);
  });

  it("tells no feature without what it stands for", () => {
    const names = Object.keys(told.unstable_features).filter(
      (name) => told.unstable_features[name],
    );
    const unproved = names.filter((name) => !(name in FEATURES));
    expect(unproved, "features without a proof in this spec").to.deep.equal([]);
    for (const name of names) {
      const { operations = [], spec } = FEATURES[name]!;
      for (const operation of operations)
        expect(served.has(operation), `${name}: ${operation}`).to.equal(true);
      if (spec) expect(readFileSync(spec[0], "utf8"), name).to.include(spec[1]);
    }
  });

  it("tells of every unstable path that is served", () => {
    const paths = [...served].filter((operation) =>
      operation.includes("/unstable/"),
    );
    expect(paths).to.have.length.above(3);
    const untold = paths.filter(
      (operation) =>
        !PROBED.some((pattern) => pattern.test(operation)) &&
        !Object.entries(FEATURES).some(
          ([name, { operations = [] }]) =>
            told.unstable_features[name] && operations.includes(operation),
        ),
    );
    expect(untold).to.deep.equal([]);
  });

  it("and the capabilities name what is told there instead", async () => {
    const user = await server.user("capable");
    const { capabilities } = must<{
      capabilities: Record<string, { enabled?: boolean }>;
    }>(await user.get("/capabilities"));
    expect(capabilities["m.3pid_changes"]?.enabled).to.equal(false);
    expect(capabilities["m.get_login_token"]?.enabled).to.equal(
      served.has(`POST ${CLIENT}/v1/login/get_token`),
    );
    expect("m.account_moderation" in capabilities).to.equal(
      served.has(`PUT ${CLIENT}/v1/admin/suspend/{}`),
    );
  });
});
