import { expect } from "chai";
import { createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { OVERHEAD_BYTES, decrypt, encrypt } from "../../src/storage/aead.ts";
import { deriveKey } from "../../src/storage/hkdf.ts";

describe("encrypt and decrypt", () => {
  const key = randomBytes(32);

  it("gives back what was encrypted, also nothing and astral characters", () => {
    for (const text of ["", "a", "𝄞\u0000ß".repeat(500)]) {
      const sealed = encrypt(key, text, "here");
      expect(sealed.length).to.equal(Buffer.byteLength(text) + OVERHEAD_BYTES);
      expect(decrypt(key, sealed, "here").toString()).to.equal(text);
    }
  });

  it("is plain AES-256-GCM behind a version byte", () => {
    const sealed = encrypt(key, "text", "here");
    expect(sealed[0]).to.equal(1);
    const oracle = createDecipheriv("aes-256-gcm", key, sealed.subarray(1, 13));
    oracle.setAAD(Buffer.from("here")).setAuthTag(sealed.subarray(-16));
    expect(oracle.update(sealed.subarray(13, -16), undefined, "utf8")).to.equal(
      "text",
    );
    oracle.final();
  });

  it("refuses every changed bit, another place, another key and cut bytes", () => {
    const sealed = encrypt(key, "text", "here");
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decrypt(key, changed, "here"), `bit ${bit}`).to.throw();
    }
    expect(() => decrypt(key, sealed, "there")).to.throw();
    expect(() => decrypt(randomBytes(32), sealed, "here")).to.throw();
    for (let end = 0; end < sealed.length; end += 1) {
      expect(() => decrypt(key, sealed.subarray(0, end), "here")).to.throw();
    }
  });

  it("never uses a nonce twice", () => {
    const nonces = new Set<string>();
    for (let i = 0; i < 20_000; i += 1) {
      nonces.add(encrypt(key, "", "").toString("hex", 1, 13));
    }
    expect(nonces.size).to.equal(20_000);
  });
});

describe("deriveKey", () => {
  it("is HKDF-SHA-256", () => {
    for (const length of [1, 32, 64, 100]) {
      const secret = randomBytes(length);
      const oracle = hkdfSync("sha256", secret, "", "a purpose", 32);
      expect(deriveKey(secret, "a purpose")).to.deep.equal(Buffer.from(oracle));
    }
  });
});
