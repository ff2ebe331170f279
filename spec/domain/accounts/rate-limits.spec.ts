import { expect } from "chai";
import { MatrixError } from "../../../src/core/errors.ts";
import { createRateLimiter } from "../../../src/domain/accounts/rate-limits.ts";
import type {
  RateLimitKind,
  RateLimiter,
} from "../../../src/domain/accounts/rate-limits.ts";
import type { Settings } from "../../../src/edges.ts";
import type { Sql } from "../../../src/storage/database.ts";
import { quiet, useDatabase } from "../../support/database.ts";

const limits = {
  login: { perSecond: 2, burst: 10 },
  message: { perSecond: 10, burst: 50 },
  other: { perSecond: 100, burst: 1000 },
};

describe("RateLimiter", () => {
  const database = useDatabase();
  let clock = 1_700_000_000_000;
  beforeEach(async () => {
    await database.sql`truncate rate_limits`;
  });

  const start = (sql: Sql = database.sql, isEnabled = true): RateLimiter =>
    createRateLimiter({
      db: sql,
      log: quiet,
      now: () => clock,
      settings: {
        rateLimitsEnabled: isEnabled,
        rateLimits: limits,
        password: { minimumLength: 8, pepper: Buffer.alloc(32, 7) },
      } as unknown as Settings,
    });

  /** The wait in milliseconds that a take is answered with; 0 where it is let through. */
  const take = async (
    limiter: RateLimiter,
    kind: RateLimitKind,
    key: string,
    cost?: number,
  ): Promise<number> => {
    try {
      await limiter.take(kind, key, cost);
      return 0;
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      expect(error.errcode).to.equal("M_LIMIT_EXCEEDED");
      const wait = error.extra["retry_after_ms"];
      expect(wait).to.be.a("number").above(0);
      return wait as number;
    }
  };
  const takeMany = async (
    limiter: RateLimiter,
    kind: RateLimitKind,
    key: string,
    count: number,
  ): Promise<number> => {
    let taken = 0;
    for (let i = 0; i < count; i += 1) {
      if ((await take(limiter, kind, key)) === 0) taken += 1;
    }
    return taken;
  };

  it("lets a burst through, then tells when the next token is there, to the millisecond", async () => {
    const limiter = start();
    expect(await takeMany(limiter, "login", "::1", 10)).to.equal(10);
    expect(await take(limiter, "login", "::1")).to.equal(500);
    clock += 200;
    expect(await take(limiter, "login", "::1")).to.equal(300);
    clock += 299;
    expect(await take(limiter, "login", "::1")).to.equal(1);
    clock += 1;
    expect(await take(limiter, "login", "::1")).to.equal(0);
    expect(await take(limiter, "login", "::1")).to.equal(500);
  });

  it("fills no further than its burst", async () => {
    const limiter = start();
    await takeMany(limiter, "login", "::1", 5);
    clock += 1_000_000;
    expect(await takeMany(limiter, "login", "::1", 20)).to.equal(10);
  });

  it("counts kinds and keys apart, and costs together", async () => {
    const limiter = start();
    expect(await take(limiter, "login", "a", 8)).to.equal(0);
    expect(await take(limiter, "login", "a", 4)).to.equal(1000);
    expect(await take(limiter, "login", "a", 2), "a smaller one").to.equal(0);
    expect(await take(limiter, "login", "b", 10)).to.equal(0);
    expect(await take(limiter, "message", "a", 50)).to.equal(0);
    expect(
      await take(limiter, "login", "c", 99),
      "more than it holds",
    ).to.equal(0);
    expect(await take(limiter, "login", "c")).to.equal(500);
  });

  it("gives back what was taken for nothing, and never more than it holds", async () => {
    const limiter = start();
    await limiter.giveBack("login", "::1");
    expect(await takeMany(limiter, "login", "::1", 11)).to.equal(10);
    await limiter.giveBack("login", "::1");
    expect(await takeMany(limiter, "login", "::1", 2)).to.equal(1);
  });

  it("is shared by processes", async () => {
    const [one, two] = [start(), start(database.open())];
    expect(await takeMany(one, "login", "::1", 6)).to.equal(6);
    expect(await takeMany(two, "login", "::1", 6)).to.equal(4);
    expect(await take(one, "login", "::1")).to.equal(500);
  });

  it("lets through no more than the burst where many take at once", async () => {
    const [one, two] = [start(), start(database.open())];
    const waits = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        take(i % 2 ? one : two, "login", "::1"),
      ),
    );
    expect(waits.filter((wait) => wait === 0)).to.have.length(10);
  });

  it("answers an empty bucket from memory until it fills", async () => {
    const limiter = start();
    await takeMany(limiter, "login", "::1", 11);
    await database.sql`truncate rate_limits`;
    expect(await take(limiter, "login", "::1")).to.equal(500);
    clock += 500;
    expect(await take(limiter, "login", "::1")).to.equal(0);
  });

  it("asks the database seldom for a busy key, and stays within a tenth", async () => {
    let queries = 0;
    const counting = new Proxy(database.sql, {
      apply(target, self, args) {
        queries += 1;
        return Reflect.apply(target, self, args) as unknown;
      },
    });
    const limiter = start(counting);
    const other = start(database.open());
    let taken = 0;
    // 15 seconds of more than the bucket gives, by two processes.
    for (let tick = 0; tick < 150; tick += 1) {
      taken += await takeMany(limiter, "other", "@busy:hs", 10);
      taken += await takeMany(other, "other", "@busy:hs", 10);
      clock += 100;
    }
    const given = limits.other.burst + limits.other.perSecond * 15;
    expect(taken).to.be.within(given * 0.9, given * 1.1);
    expect(queries).to.be.below(1500 / 4);
  });

  it("writes no address and no user id into the table", async () => {
    const limiter = start();
    await take(limiter, "login", "192.0.2.77");
    const rows = await database.sql<
      { key: string }[]
    >`select key from rate_limits`;
    expect(rows).to.have.length(1);
    expect(rows[0]!.key).to.match(/^[\w-]{43}$/);
  });

  it("forgets buckets that are full again", async () => {
    const limiter = start();
    await take(limiter, "login", "old");
    clock += 11 * 60 * 1000;
    await take(limiter, "login", "new");
    const rows = await database.sql`select from rate_limits`;
    expect(rows.length).to.equal(1);
  });

  it("does not run backwards with a clock that does", async () => {
    const limiter = start();
    await takeMany(limiter, "login", "::1", 10);
    clock -= 60_000;
    expect(await take(start(), "login", "::1")).to.equal(500);
    clock += 60_000;
  });

  it("goes on when the clock jumps an hour forwards and back", async () => {
    const limiter = start();
    await takeMany(limiter, "login", "::1", 11);
    clock += 3_600_000;
    expect(await takeMany(limiter, "login", "::1", 11)).to.equal(10);
    clock -= 3_600_000;
    expect(await takeMany(limiter, "login", "::1", 11)).to.equal(10);
    clock += 500;
    expect(await takeMany(limiter, "login", "::1", 2)).to.equal(1);
    clock -= 3_600_000;
    expect(await take(start(), "login", "::1")).to.equal(0);
    clock += 3_600_000;
  });

  it("asks nobody where limits are off", async () => {
    const limiter = start(undefined, false);
    expect(await takeMany(limiter, "login", "::1", 50)).to.equal(50);
    expect((await database.sql`select from rate_limits`).length).to.equal(0);
  });
});
