import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { canonicalJson } from "../../../src/core/canonical-json.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import {
  alice,
  bob,
  carol,
  memberDraft,
  powers,
  room,
  VERSIONS,
} from "../room-builder.ts";
import { expectAllowed, expectRejected } from "./verdicts.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");

const base64 = (key: KeyObject): string =>
  key.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
const unpadded = (key: KeyObject): string => base64(key).replace(/=+$/, "");

const signed = (
  fields: JsonObject = { mxid: bob, token: "token" },
  key = privateKey,
): JsonObject => ({
  ...fields,
  signatures: {
    "id.example": {
      "ed25519:0": sign(null, Buffer.from(canonicalJson(fields)), key)
        .toString("base64")
        .replace(/=+$/, ""),
    },
  },
});

const invite = (signedPart: JsonObject | undefined, sender = alice) =>
  memberDraft(bob, "invite", sender, {
    third_party_invite:
      signedPart === undefined ? {} : { display_name: "b", signed: signedPart },
  });

for (const version of VERSIONS) {
  describe(`third-party invite in room version ${version}`, () => {
    const here = (content: JsonObject = { public_key: unpadded(publicKey) }) =>
      room(version).join(carol).with({
        type: "m.room.third_party_invite",
        stateKey: "token",
        content,
      });

    it("is allowed with a signature by public_key", () => {
      expectAllowed(here().check(invite(signed())));
    });

    it("is allowed with a signature by any of public_keys", () => {
      const content = {
        public_key: unpadded(other.publicKey),
        public_keys: [
          { public_key: "not a key" },
          null,
          {
            public_key: base64(publicKey)
              .replace(/\+/g, "-")
              .replace(/\//g, "_"),
          },
        ],
      };
      expectAllowed(here(content).check(invite(signed())));
    });

    it("needs no invite level at the time it is accepted", () => {
      const there = here().powerLevels(powers(version, {}, { invite: 100 }));
      expectAllowed(there.check(invite(signed())));
    });

    it("is rejected if the user is banned", () => {
      expectRejected(here().ban(bob).check(invite(signed())), /banned/);
    });

    it("is rejected without signed, mxid or token", () => {
      expectRejected(here().check(invite(undefined)), /not signed/);
      for (const fields of [
        { mxid: bob },
        { token: "token" },
        { mxid: 1, token: 2 },
      ]) {
        expectRejected(here().check(invite(signed(fields))), /names no/);
      }
    });

    it("is rejected if it is for another user", () => {
      const fields = { mxid: carol, token: "token" };
      expectRejected(here().check(invite(signed(fields))), /another user/);
    });

    it("is rejected if the token is not known", () => {
      const fields = { mxid: bob, token: "unknown" };
      expectRejected(here().check(invite(signed(fields))), /not known/);
    });

    it("is rejected from another sender", () => {
      expectRejected(here().check(invite(signed(), carol)), /another sender/);
    });

    it("is rejected if no key of the invite has signed it", () => {
      const byOther = signed(undefined, other.privateKey);
      expectRejected(here().check(invite(byOther)), /No key/);
      const altered = { ...signed(), extra: true };
      expectRejected(here().check(invite(altered)), /No key/);
      expectRejected(here({}).check(invite(signed())), /No key/);
      for (const signatures of [
        null,
        {},
        { a: null },
        { a: { "ed25519:0": 1 } },
      ]) {
        const broken = { mxid: bob, token: "token", signatures };
        expectRejected(here().check(invite(broken)), /No key/);
      }
    });
  });
}

describe("third-party invite", () => {
  it("stops verifying long before a flood of keys and signatures is through", () => {
    const flood = {
      mxid: bob,
      token: "token",
      signatures: Object.fromEntries(
        Array.from({ length: 200 }, (_value, index) => [
          `s${index}`,
          { "ed25519:0": Buffer.alloc(64, index).toString("base64") },
        ]),
      ),
    };
    const publicKeys = Array.from({ length: 200 }, () => ({
      public_key: unpadded(generateKeyPairSync("ed25519").publicKey),
    }));
    const here = room("11").with({
      type: "m.room.third_party_invite",
      stateKey: "token",
      content: { public_keys: publicKeys },
    });
    const start = performance.now();
    expectRejected(here.check(invite(flood)), /No key/);
    if (performance.now() - start > 1000) throw new Error("took too long");
  });
});
