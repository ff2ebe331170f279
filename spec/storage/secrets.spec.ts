import { expect } from "chai";
import {
  chmod,
  cp,
  readFile,
  readdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { sign, verify, createPublicKey } from "node:crypto";
import { loadSecrets } from "../../src/storage/secrets.ts";
import { SecretsError } from "../../src/storage/secrets-error.ts";
import { Secret } from "../../src/util/secret.ts";
import { useDatabase } from "../support/database.ts";
import { useFolders } from "../support/use-folder.ts";

describe("loadSecrets", () => {
  const database = useDatabase();
  const makeFolder = useFolders();
  let keysDir = "";
  beforeEach(async () => {
    keysDir = join(await makeFolder(), "keys");
    await database.sql`delete from server_settings`;
  });
  const load = (folder = keysDir, given: Record<string, string> = {}) =>
    loadSecrets(
      {
        keysDir: folder,
        given: new Map(
          Object.entries(given).map(([name, text]) => [name, new Secret(text)]),
        ),
      },
      database.sql,
    );
  const refusal = async (loading: Promise<unknown>): Promise<string> => {
    const error: unknown = await loading.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(SecretsError);
    return (error as SecretsError).message;
  };

  it("CVE-2019-5885: makes them once, in files that nobody else reads, and finds them again", async () => {
    const first = await load();
    expect((await readdir(keysDir)).toSorted()).to.deep.equal([
      "audit",
      "master-1",
      "pepper",
      "signing",
    ]);
    for (const name of await readdir(keysDir)) {
      expect((await stat(join(keysDir, name))).mode & 0o777).to.equal(0o600);
    }
    expect((await stat(keysDir)).mode & 0o777).to.equal(0o700);
    const second = await load();
    expect(second.pepper).to.deep.equal(first.pepper);
    expect(second.signingKey.keyId).to.equal(first.signingKey.keyId);
    expect(first.signingKey.keyId).to.match(/^ed25519:a_[A-Za-z]{4}$/);
    const publicKey = createPublicKey({
      key: {
        kty: "OKP",
        crv: "Ed25519",
        x: Buffer.from(second.signingKey.publicKey, "base64").toString(
          "base64url",
        ),
      },
      format: "jwk",
    });
    const text = Buffer.from("text");
    const signature = sign(null, text, first.signingKey.privateKey);
    expect(verify(null, text, publicKey, signature)).to.equal(true);
  });

  it("tells the database fingerprints alone", async () => {
    await load();
    const rows = await database.sql<{ value: string }[]>`
      select value from server_settings`;
    const stored = rows.map((row) => row.value).join("\n");
    for (const name of ["audit", "master-1", "pepper", "signing"]) {
      const text = await readFile(join(keysDir, name), "utf8");
      expect(stored).not.to.include(text.trim().split(" ").at(-1));
    }
  });

  it("agrees where processes of one folder start at once", async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => load()));
    const peppers = new Set(all.map(({ pepper }) => pepper.toString("hex")));
    expect(peppers.size).to.equal(1);
  });

  it("lets one machine win where several start at once, and tells the others what to copy", async () => {
    const folders = [];
    for (let i = 0; i < 4; i += 1) {
      folders.push(join(await makeFolder(), "keys"));
    }
    const answers = await Promise.allSettled(
      folders.map((folder) => load(folder)),
    );
    const winner = answers.findIndex(({ status }) => status === "fulfilled");
    expect(
      answers.filter(({ status }) => status === "fulfilled"),
    ).to.have.length(1);
    for (const [i, answer] of answers.entries()) {
      if (answer.status === "fulfilled") continue;
      const { message } = answer.reason as SecretsError;
      expect(message).to.include(join(folders[i]!, "master-1"));
      expect(message).to.include("MYELIN_KEYS_MASTER");
      await cp(folders[winner]!, folders[i]!, { recursive: true });
      await load(folders[i]);
    }
  });

  it("takes them from the environment, without any file", async () => {
    const pepper = Buffer.from(
      Array.from({ length: 32 }, (_, i) => (i * 97 + i * i) & 255),
    );
    const given = {
      pepper: pepper.toString("base64"),
      master: "qL8R4QIcQ/ZsRqOAbeRfcZhilN/MksRtDaErMA+Lqw0",
      audit: "ed25519 a_LoGs lTe1A39kH5DnAd4nT6tMcQbN751Cz3W0XOX+dYB+h0Y",
      signing: "ed25519 a_TeSt bmV2ZXIgdXNlIHRoaXMga2V5IGluIGVhcm5lc3QhIYE",
    };
    const secrets = await load(keysDir, given);
    expect(secrets.pepper).to.deep.equal(pepper);
    expect(secrets.signingKey.keyId).to.equal("ed25519:a_TeSt");
    expect(secrets.masterKeys.epoch).to.equal(1);
    expect(await stat(keysDir).catch(() => undefined)).to.equal(undefined);
    await load(keysDir, { ...given, master: `2:AAAA,1:${given.master}=` });
  });

  it("refuses to start without one, and names the file and the variable", async () => {
    await load();
    const elsewhere = join(await makeFolder(), "keys");
    await cp(keysDir, elsewhere, {
      recursive: true,
      filter: (path) => !path.endsWith("signing") && !path.endsWith("pepper"),
    });
    const message = await refusal(load(elsewhere));
    expect(message).to.include(join(elsewhere, "signing"));
    expect(message).to.include("MYELIN_KEYS_SIGNING");
    expect(message).to.include(join(elsewhere, "pepper"));
    expect(message).not.to.include("master");
    expect((await readdir(elsewhere)).toSorted()).to.deep.equal([
      "audit",
      "master-1",
    ]);
  });

  it("refuses one that is not the database's, and names it", async () => {
    await load();
    const other = "3ZmgyjDLgTrFe3vr3dwnMrWAFzlDIZjCzuTLOC0cVT0";
    await writeFile(join(keysDir, "master-1"), other);
    const message = await refusal(load());
    expect(message).to.include(join(keysDir, "master-1"));
    expect(message).not.to.include("pepper");
    expect(message).not.to.include(other);
  });

  it("refuses a file that others may read or its group may write", async () => {
    await load();
    for (const mode of [0o604, 0o644, 0o620, 0o602]) {
      await chmod(join(keysDir, "pepper"), mode);
      const message = await refusal(load());
      expect(message).to.include(`chmod 600 ${join(keysDir, "pepper")}`);
    }
    await chmod(join(keysDir, "pepper"), 0o440);
    await load();
  });

  it("CVE-2026-24044: refuses keys that the world knows or can guess, before the database is told", async () => {
    const words = Buffer.from("correct horse battery staple okay");
    const bad = [
      { master: Buffer.alloc(32).toString("base64") },
      { pepper: Buffer.alloc(32, "ab").toString("base64") },
      {
        pepper: Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString(
          "base64",
        ),
      },
      { pepper: words.subarray(0, 32).toString("base64") },
      { pepper: "c2hvcnQ=" },
      { signing: `ed25519 a_zero ${"A".repeat(43)}` },
      { signing: "ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1" },
      { signing: "ed25519 a_nope" },
    ];
    for (const given of bad) {
      const message = await refusal(
        load(keysDir, given as Record<string, string>),
      );
      const [name] = Object.keys(given);
      expect(message).to.include(`MYELIN_KEYS_${name!.toUpperCase()}`);
    }
    const rows = await database.sql`select from server_settings`;
    expect(rows.length).to.equal(0);
  });

  it("refuses a database with users that has lost its record", async () => {
    await database.sql`
      insert into users (user_id, created_ts) values ('@alice:hs', 0)`;
    try {
      expect(await refusal(load())).to.include("no record");
      expect(await readdir(keysDir)).to.deep.equal([]);
    } finally {
      await database.sql`delete from users`;
    }
  });

  it("tells of old signing keys", async () => {
    await load();
    const old = [{ keyId: "ed25519:a_old", publicKey: "abc", expiredTs: 5 }];
    await database.sql`
      insert into server_settings values ('old_signing_keys', ${JSON.stringify(old)})`;
    expect((await load()).oldSigningKeys).to.deep.equal(old);
  });
});
