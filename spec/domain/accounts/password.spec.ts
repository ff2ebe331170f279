import { expect } from "chai";
import {
  assertStrongPassword,
  hashPassword,
  isPassword,
} from "../../../src/domain/accounts/password.ts";
import { createPasswordHasher } from "../../../src/workers/password-hasher.ts";

const settings = (pepper: number) => ({
  password: { minimumLength: 8, pepper: Buffer.alloc(32, pepper) },
});

describe("isPassword", () => {
  const passwordHasher = createPasswordHasher(1);
  after(() => passwordHasher.close());
  const edges = (pepper: number) => ({
    passwordHasher,
    settings: settings(pepper),
  });

  it("knows the password that was hashed, in whatever Unicode form it is typed", async () => {
    const stored = await hashPassword(edges(1), "pässwörd ✓");
    expect(stored).to.match(/^\$argon2id\$/);
    const is = (text: string) => isPassword(edges(1), stored, text);
    expect(await is("pässwörd ✓")).to.equal(true);
    expect(await is("pässwörd ✓".normalize("NFD"))).to.equal(true);
    expect(await is("passwörd ✓")).to.equal(false);
    expect(await is("")).to.equal(false);
  });

  it("needs the pepper that the database does not hold", async () => {
    const stored = await hashPassword(edges(1), "password");
    expect(await isPassword(edges(2), stored, "password")).to.equal(false);
  });

  it("reads a password whole", async () => {
    const long = "x".repeat(511);
    const stored = await hashPassword(edges(1), `${long}a`);
    expect(await isPassword(edges(1), stored, `${long}b`)).to.equal(false);
  });

  it("row 55: says no where there is none, after the same work", async () => {
    const text = "nobody has this password";
    const asked: string[] = [];
    const counting = {
      ...edges(1),
      passwordHasher: {
        ...passwordHasher,
        verify: (stored: string, given: string) => {
          asked.push(stored);
          return passwordHasher.verify(stored, given);
        },
      },
    };
    expect(await isPassword(counting, null, text)).to.equal(false);
    const stored = await hashPassword(edges(1), "somebody's password");
    expect(await isPassword(counting, stored, text)).to.equal(false);
    // The same algorithm with the same memory and passes, for one as for the other.
    const [ofNobody, ofSomebody] = asked.map((hash) => hash.split("$", 4));
    expect(ofNobody).to.deep.equal(ofSomebody).and.to.have.length(4);
  });
});

describe("assertStrongPassword", () => {
  it("counts characters as people do", () => {
    const check = (text: string) => () =>
      assertStrongPassword(settings(1), text);
    expect(check("1234567")).to.throw("at least 8");
    expect(check("😀".repeat(7))).to.throw("at least 8");
    expect(check("😀".repeat(8))).to.not.throw();
    expect(check("x".repeat(512))).to.not.throw();
    expect(check("x".repeat(513))).to.throw("at most 512");
  });
});
