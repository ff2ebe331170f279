import { expect } from "chai";
import { MatrixError } from "../../src/core/errors.ts";
import { changePassword } from "../../src/domain/accounts/change-password.ts";
import { checkPassword } from "../../src/domain/accounts/login.ts";
import type { Edges } from "../../src/edges.ts";
import { derive } from "../../src/util/derive.ts";
import { ProcessMemory } from "../../src/util/process-memory.ts";
import { useServer } from "../support/server.ts";
import type { Json, TestUser } from "../support/server.ts";
import { until } from "../support/until.ts";

const TRIES = 10_000;
const ADDRESSES = 100;
const MOST = 100;
const HOME = "192.0.2.7";

const STEP_MS = 1000;

describe("passwords that are guessed for days", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    behind_proxy: true,
  });
  let clock = 0;
  let looked = 0;
  beforeEach(() => {
    clock = server.edges.now();
    looked = 0;
  });

  /** A process whose clock is ours. */
  const processOf = (edges: Edges): Edges =>
    derive(edges, {
      memory: new ProcessMemory(),
      now: () => clock,
    });
  const hashOf = async (name: string) => {
    const rows = await server.database.sql<{ passwordHash: string }[]>`
      select password_hash from users where user_id = ${`@${name}:test`}`;
    return rows[0]?.passwordHash;
  };
  /** One that takes every password for a wrong one, and counts which it looks at. */
  const counting = async (edges: Edges): Promise<Edges> => {
    const alices = await hashOf("alice");
    return derive(processOf(edges), {
      passwordHasher: {
        ...edges.passwordHasher,
        verify: async (stored: string) => {
          if (stored === alices) looked += 1;
          return false;
        },
      },
    });
  };

  /** The code of what a try is answered with; "" where it is let in. */
  const attempt = async (
    edges: Edges,
    password: string,
    address: string,
    userId = "@alice:test",
  ): Promise<string> => {
    try {
      await checkPassword(edges, userId, password, address);
      return "";
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      return `${error.errcode} ${error.errcode === "M_FORBIDDEN" ? error.message : ""}`;
    }
  };

  const seenAt = async (user: TestUser, address: string) => {
    const headers = { "x-forwarded-for": address };
    await until(async () => {
      const { body } = await user.get("/devices", { headers });
      const [device] = body["devices"] as Json[];
      return device!["last_seen_ip"] === address;
    });
  };

  it("row 54: looks at a hundred of 10,000 from 100 addresses, in two processes, and lets its owner in at home", async function () {
    this.timeout(120_000);
    const alice = await server.user("alice");
    await seenAt(alice, HOME);
    const other = await server.startProcess();
    const processes = [
      await counting(server.edges),
      await counting(other.edges),
    ];
    const answers = new Set<string>();
    let tried = 0;
    for (let round = 0; round < TRIES / ADDRESSES; round += 1) {
      clock += 60 * STEP_MS;
      const all = Array.from({ length: ADDRESSES }, (_, i) =>
        attempt(processes[i % 2]!, `guess ${round}`, `198.51.100.${i}`),
      );
      for (const answer of await Promise.all(all)) {
        answers.add(answer);
        if (answer.startsWith("M_FORBIDDEN")) tried += 1;
      }
    }
    expect(looked).to.equal(MOST);
    expect(tried, "by the account's bucket alone").to.be.above(5 * MOST);
    const wrong = "M_FORBIDDEN The user name or the password is wrong.";
    expect([...answers].sort()).to.deep.equal([wrong, "M_LIMIT_EXCEEDED "]);

    const real = processOf(server.edges);
    // Long after, when every bucket was swept.
    clock += 30 * 24 * 60 * 60 * 1000;
    await attempt(real, "x", "203.0.113.1", "@nobody:test");
    expect(await attempt(real, alice.password, "203.0.113.1")).to.equal(wrong);
    expect(await attempt(real, alice.password, HOME)).to.equal("");
    expect(await attempt(real, alice.password, "203.0.113.1")).to.equal("");
  });

  it("row 54: answers for a name that nobody has as for an account, and keeps nothing of it", async function () {
    this.timeout(60_000);
    const process = await counting(server.edges);
    const answers = new Set<string>();
    for (let i = 0; i < MOST + 20; i += 1) {
      clock += 10 * STEP_MS;
      answers.add(await attempt(process, "x", `10.0.0.${i}`, "@none:test"));
    }
    expect([...answers]).to.deep.equal([
      "M_FORBIDDEN The user name or the password is wrong.",
    ]);
    const kept = await server.database
      .sql`select from rate_limits where key like 'failures %'`;
    expect(kept.length).to.equal(0);
  });

  it("row 54: begins anew with another password", async function () {
    this.timeout(60_000);
    const bob = await server.user("bob");
    const process = await counting(server.edges);
    for (let i = 0; i < MOST + 5; i += 1) {
      clock += 10 * STEP_MS;
      await attempt(process, "x", `10.0.1.${i}`, bob.userId);
    }
    const real = processOf(server.edges);
    clock += 60 * STEP_MS;
    const from = (password: string) =>
      attempt(real, password, "203.0.113.2", bob.userId);
    expect(await from(bob.password)).to.match(/^M_FORBIDDEN/);
    await changePassword(server.edges, bob, "another password", false);
    expect(await from("another password")).to.equal("");
  });
});
