import { readFile, truncate, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { clearMedia } from "../../../src/domain/jobs/clear-media.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { uploadFile } from "../../../src/domain/media/upload.ts";
import type { Edges, Log } from "../../../src/edges.ts";
import { destroyKeys } from "../../../src/storage/destroy-keys.ts";
import { collect, failureOf, inChunks } from "../../support/collect.ts";
import { quiet } from "../../support/database.ts";
import {
  downloadPath,
  imageOf,
  listFiles,
  thumbnailPath,
  upload,
} from "../../support/media.ts";
import { must } from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";

const SMALL = { width: 32, height: 32, method: "crop" };

describe("stored files", () => {
  const faults: string[] = [];
  const log: Log = {
    ...quiet,
    error: (_details, message) => {
      faults.push(message);
    },
  };
  const server = useServer({}, log);
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });
  afterEach(() => {
    faults.length = 0;
  });

  const files = () => listFiles(server.mediaFolder);
  const clear = async () => {
    const { sql } = server.database;
    await sql`delete from leases where name = ${clearMedia.name}`;
    await runJob(server.edges, clearMedia);
  };
  /** The file that a medium's bytes stand in. */
  async function fileOf(mediaId: string): Promise<string> {
    const [row] = await server.database.sql<{ blobId: string }[]>`
      select blob_id from media where media_id = ${mediaId}`;
    return (await files()).find((file) => file.endsWith(row!.blobId))!;
  }

  it("show nothing of their content and name on disk and in the database", async () => {
    const text = "a secret that nobody shall find";
    const mediaId = await upload(alice, text, "text/plain", "plans of Zürich");
    const stored = await readFile(await fileOf(mediaId));
    expect(stored.length).to.equal(text.length + 16);
    expect(stored.includes("secret")).to.equal(false);
    const rows = await server.database.sql`
      select m::text, b::text from media m join media_blobs b using (blob_id)`;
    expect(JSON.stringify(rows)).not.to.match(/secret|plans|rich/);
  });

  it("share their bytes with equal files of the same uploader, and of nobody else", async () => {
    const file = randomBytes(100_000);
    const before = (await files()).length;
    const first = await upload(alice, file, "video/mp4", "a.mp4");
    const second = await upload(alice, file, "application/pdf", "b.pdf");
    const third = await upload(bob, file, "video/mp4", "a.mp4");
    expect(await files()).to.have.length(before + 2);
    expect(await fileOf(first)).to.equal(await fileOf(second));
    expect(await fileOf(third)).not.to.equal(await fileOf(first));
    const { bytes, headers } = await bob.get(downloadPath(second));
    expect(bytes.equals(file)).to.equal(true);
    expect(headers["content-disposition"]).to.equal(
      'attachment; filename="b.pdf"',
    );
    const [hashes] = await server.database.sql`
      select count(distinct hash)::int as n from media_blobs
      where blob_id in (select blob_id from media where media_id = any(${[first, third]}))`;
    expect(hashes).to.deep.equal({ n: 2 });
  });

  it("go with the last medium that leads to them, and their thumbnails too", async () => {
    const { sql } = server.database;
    const image = await imageOf(123, 45);
    const first = await upload(alice, image, "image/png");
    const second = await upload(alice, image, "image/png");
    must(await alice.get(thumbnailPath(first, SMALL)));
    const before = (await files()).length;
    await sql`delete from media where media_id = ${first}`;
    await clear();
    expect(await files()).to.have.length(before);
    expect((await alice.get(downloadPath(second))).status).to.equal(200);
    await sql`delete from media where media_id = ${second}`;
    await clear();
    expect(await files()).to.have.length(before - 2);
    const [left] = await sql`
      select count(*)::int as n from media_blobs where state <> 'stored'`;
    expect(left).to.deep.equal({ n: 0 });
  });

  it("go too where the last two media are deleted at once", async () => {
    const { sql } = server.database;
    const file = randomBytes(1000);
    const ids = await Promise.all([upload(alice, file), upload(alice, file)]);
    const before = (await files()).length;
    await Promise.all(
      ids.map((id) => sql`delete from media where media_id = ${id}`),
    );
    await clear();
    expect((await files()).length).to.be.below(before);
    const [lost] = await sql`
      select count(*)::int as n from media_blobs b
      where origin_blob_id is null and not exists (select from media m where m.blob_id = b.blob_id)`;
    expect(lost).to.deep.equal({ n: 0 });
  });

  it("open no more when their uploader's key is destroyed", async () => {
    const carol = await server.user("carol");
    const mediaId = await upload(carol, "text");
    const { db: sql, keyring, memory } = server.edges;
    const bus = { publish: () => undefined };
    const span = keyring.spanAt(server.edges.now());
    const name = { scope: "user-files", owner: carol.userId, span } as const;
    await destroyKeys({ sql, bus, keyring, memory }, [name]);
    const { body, status } = await alice.get(downloadPath(mediaId));
    expect([status, body["errcode"]]).to.deep.equal([404, "M_NOT_FOUND"]);
    // A file that is uploaded later has another key.
    const later = await upload(carol, "text");
    expect((await alice.get(downloadPath(later))).text).to.equal("text");
  });

  it("are not given out where the disk has damaged them", async () => {
    const file = randomBytes(200_000);
    const mediaId = await upload(alice, file);
    const place = await fileOf(mediaId);
    const stored = await readFile(place);
    stored[10]! ^= 1;
    await writeFile(place, stored);
    const first = await alice.get(downloadPath(mediaId));
    expect([first.status, first.body["errcode"]]).to.deep.equal([
      ...[500, "M_UNKNOWN"],
    ]);
    stored[10]! ^= 1;
    stored[150_000]! ^= 1;
    await writeFile(place, stored);
    // The status has left: the client sees that the rest is missing.
    const later = await failureOf(alice.get(downloadPath(mediaId)));
    expect(later).to.be.instanceOf(Error);
    await truncate(place, 100_000);
    const shorter = await failureOf(alice.get(downloadPath(mediaId)));
    expect(shorter).to.be.instanceOf(Error);
    expect(faults).to.have.length(3);
  });

  describe("after a crash", () => {
    const FRAMES = 19;

    const uploadThrough = (edges: Edges) =>
      failureOf(
        uploadFile(edges, alice.userId, {
          contentType: "text/plain",
          fileName: "a",
          length: undefined,
          content: inChunks(randomBytes((FRAMES - 1) * 65_536 + 1), 10_000),
        }),
      );

    /** What a killed process would have left: it neither stores nor takes away any more. */
    function dyingAt(point: number): Edges {
      const { edges } = server;
      const die = () => Promise.reject(new Error("killed"));
      let isDead = false;
      const store = edges.mediaStore;
      async function* dying(content: AsyncIterable<Uint8Array>) {
        let frames = 0;
        for await (const frame of content) {
          isDead = frames === point;
          if (isDead) throw new Error("killed");
          frames += 1;
          yield frame;
        }
        expect(frames).to.equal(FRAMES);
      }
      const mediaStore: Edges["mediaStore"] = {
        async put(name, content) {
          await store.put(name, dying(content));
          isDead = true;
          return die();
        },
        read: (...asked) => store.read(...asked),
        remove: (name) => (isDead ? die() : store.remove(name)),
      };
      const db = new Proxy(edges.db, {
        apply(target, self, given: unknown[]) {
          if (isDead) throw new Error("killed");
          return Reflect.apply(target, self, given) as unknown;
        },
      });
      return { ...edges, db, mediaStore, log: quiet };
    }

    for (let point = 0; point <= FRAMES; point += 1)
      it(`row 11: nothing is left of an upload that ended after frame ${point} of ${FRAMES}`, async () => {
        const { sql } = server.database;
        const before = await files();
        expect(await uploadThrough(dyingAt(point))).to.have.property(
          "message",
          "killed",
        );
        expect((await files()).length).to.equal(before.length + 1);
        const begun =
          await sql`select state from media_blobs where state <> 'stored'`;
        expect([...begun]).to.deep.equal([{ state: "writing" }]);
        // It is past the time for which its writer is held for alive.
        await sql`update media_blobs set expires_ts = clock_timestamp() where state <> 'stored'`;
        await clear();
        expect(await files()).to.deep.equal(before);
        const [left] = await sql`
          select count(*)::int as n from media_blobs where state <> 'stored'`;
        expect(left).to.deep.equal({ n: 0 });
      });

    it("row 11: what is being uploaded at that time is left alone, and what is stored", async () => {
      const { edges } = server;
      const kept = await upload(alice, "kept");
      async function* slow() {
        yield randomBytes(70_000);
        await clear();
        yield randomBytes(10);
      }
      const mediaId = await uploadFile(edges, alice.userId, {
        ...{ contentType: undefined, fileName: undefined, length: undefined },
        content: slow(),
      });
      await clear();
      const { bytes } = await alice.get(downloadPath(mediaId));
      expect(bytes.length).to.equal(70_010);
      expect((await alice.get(downloadPath(kept))).text).to.equal("kept");
    });

    it("row 11: an upload that was taken for dead fails, and leaves nothing", async () => {
      const { sql } = server.database;
      const before = await files();
      async function* stopped() {
        yield randomBytes(70_000);
        await sql`update media_blobs set expires_ts = clock_timestamp() where state <> 'stored'`;
        await clear();
      }
      const failure = await failureOf(
        uploadFile({ ...server.edges, log: quiet }, alice.userId, {
          ...{ contentType: undefined, fileName: undefined, length: undefined },
          content: stopped(),
        }),
      );
      expect(failure).to.be.instanceOf(Error);
      await clear();
      expect(await files()).to.deep.equal(before);
    });

    it("row 75: ids that nobody uploaded to in time are forgotten", async () => {
      const { sql } = server.database;
      must(await bob.post("/_matrix/media/v1/create"));
      await sql`update media set expires_ts = 1 where blob_id is null`;
      await clear();
      const [left] = await sql`
        select count(*)::int as n from media where blob_id is null`;
      expect(left).to.deep.equal({ n: 0 });
    });
  });

  it("row 10: a full disk costs one upload, and nothing is left of it", async () => {
    const full: Edges["mediaStore"] = {
      ...server.edges.mediaStore,
      async put(_name, content) {
        await collect(content);
        throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      },
    };
    const edges = { ...server.edges, mediaStore: full };
    const failure = await failureOf(
      uploadFile(edges, alice.userId, {
        ...{ contentType: undefined, fileName: undefined, length: 10 },
        content: inChunks(randomBytes(10), 10),
      }),
    );
    expect(failure).to.have.property("code", "ENOSPC");
    const [left] = await server.database.sql`
      select count(*)::int as n from media_blobs where state <> 'stored'`;
    expect(left).to.deep.equal({ n: 0 });
  });
});

describe("files without sealing", () => {
  const server = useServer({ sealing: "off" });

  it("stand as they are, and are served by a process that seals", async () => {
    const alice = await server.user("alice");
    const image = await imageOf(300, 200);
    const mediaId = await upload(alice, image, "image/png", "a.png");
    const [file] = await listFiles(server.mediaFolder);
    expect((await readFile(file!)).equals(image)).to.equal(true);
    const sealing = await server.startProcess({ sealing: "on" });
    for (const process of [server, sealing]) {
      const user = process.as(alice);
      expect(
        (await user.get(downloadPath(mediaId))).bytes.equals(image),
      ).to.equal(true);
      must(await user.get(thumbnailPath(mediaId, SMALL)));
    }
    // What is sealed from now on shares no bytes with what is not.
    const again = await upload(sealing.as(alice), image, "image/png");
    const blobs = await server.database.sql`
      select distinct blob_id from media where media_id = any(${[mediaId, again]})`;
    expect(blobs).to.have.length(2);
  });
});

describe("quotas of files", () => {
  const server = useServer({
    "media.user_quota_bytes": 100_000,
    "media.server_quota_bytes": 150_000,
  });

  const post = (user: TestUser, bytes: Buffer) =>
    user.ask("POST", "/_matrix/media/v3/upload", bytes);

  it("row 61: hold for each user, and for all of them", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const file = randomBytes(60_000);
    must(await post(alice, file));
    const more = await post(alice, randomBytes(60_000));
    expect([more.status, more.body["errcode"]]).to.deep.equal([
      ...[403, "M_USER_LIMIT_EXCEEDED"],
    ]);
    expect(more.body).to.include({ info_uri: "https://test/" });
    must(await post(bob, randomBytes(80_000)));
    const all = await post(bob, randomBytes(15_000));
    expect([all.status, all.body["errcode"]]).to.deep.equal([
      ...[403, "M_RESOURCE_LIMIT_EXCEEDED"],
    ]);
    expect(all.body).to.have.property("admin_contact");
    // Room comes back with what goes.
    const { sql } = server.database;
    await sql`delete from media where user_id = ${alice.userId}`;
    must(await post(alice, randomBytes(60_000)));
  });

  it("row 61: hold for uploads at the same time that do not tell their size", async () => {
    const carol = await server.user("carol");
    const { sql } = server.database;
    await sql`delete from media`;
    const asked = Array.from({ length: 6 }, () =>
      failureOf(
        uploadFile(server.edges, carol.userId, {
          ...{ contentType: undefined, fileName: undefined, length: undefined },
          content: inChunks(randomBytes(30_000), 10_000),
        }),
      ),
    );
    const failures = (await Promise.all(asked)).filter(Boolean);
    expect(failures).to.have.length(3);
    for (const failure of failures)
      expect(failure).to.have.property("errcode", "M_USER_LIMIT_EXCEEDED");
    const [usage] = await sql`
      select bytes from media_usage where user_id = ${carol.userId}`;
    expect(usage).to.deep.equal({ bytes: 90_000 });
  });
});
