import { expect } from "chai";
import { readdir } from "node:fs/promises";
import { administrator } from "../../support/administrators.ts";
import {
  downloadPath,
  thumbnailPath,
  upload,
  uploadImage,
} from "../../support/media.ts";
import { makeRoom, must, send } from "../../support/rooms.ts";
import {
  type Json,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";

const S = "/_synapse/admin/v1";
const N = "/_myelin/admin/v1";
const DAY_MS = 24 * 60 * 60 * 1000;

describe("files, as administrators' tools ask for them", () => {
  const server = useServer({ "media.legacy_downloads": "on" });
  let second: TestProcess;
  let admin: TestUser;
  let moderator: TestUser;
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    second = await server.startProcess();
    admin = await administrator(server, "admin", "system-admin");
    moderator = await administrator(server, "moderator", "room-moderator");
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const show = (user: TestUser, roomId: string, mediaId: string) =>
    send(user, roomId, "m.room.message", {
      msgtype: "m.image",
      body: "b",
      url: `mxc://test/${mediaId}`,
    });
  const ways = (mediaId: string): string[] => [
    downloadPath(mediaId),
    `${downloadPath(mediaId)}/name.png`,
    thumbnailPath(mediaId, { width: 32, height: 32 }),
    `/_matrix/media/v3/download/test/${mediaId}`,
    `/_matrix/media/r0/download/test/${mediaId}`,
    `/_matrix/media/v3/thumbnail/test/${mediaId}?width=32&height=32`,
  ];
  const expectGone = async (mediaId: string) => {
    for (const process of [server, second])
      for (const target of ways(mediaId)) {
        const answer = await process.as(alice).get(target);
        expect(answer.status, target).to.equal(404);
        expect(answer.body["errcode"]).to.equal("M_NOT_FOUND");
      }
  };
  const expectThere = async (mediaId: string) => {
    const files = ways(mediaId).filter((way) => !way.includes("thumbnail"));
    for (const target of files) must(await alice.get(target));
  };
  const infoOf = async (mediaId: string) =>
    must<{ media_info: Json }>(await admin.get(`${S}/media/test/${mediaId}`))
      .media_info;
  const filesOf = async () => {
    const found = await readdir(server.mediaFolder, {
      recursive: true,
      withFileTypes: true,
    });
    return found.filter((entry) => entry.isFile()).length;
  };

  it("are withheld one by one, by room and by user, and given free again", async () => {
    const roomId = await makeRoom(alice);
    const [one, two, three] = [
      await uploadImage(alice),
      await uploadImage(bob),
      await uploadImage(bob),
    ];
    await show(alice, roomId, one);
    await show(alice, roomId, two);
    await expectThere(one);
    const { local, remote } = must<{ local: string[]; remote: string[] }>(
      await moderator.get(`${S}/room/${roomId}/media`),
    );
    expect(local).to.have.members([`mxc://test/${one}`, `mxc://test/${two}`]);
    expect(remote).to.deep.equal([]);
    // With no body at all, as synadm asks.
    const quarantined = must(
      await moderator.ask("POST", `${S}/media/quarantine/test/${one}`),
    );
    expect(quarantined).to.deep.equal({});
    await expectGone(one);
    expect(await infoOf(one)).to.include({
      quarantined_by: moderator.userId,
    });
    expect(
      must(await moderator.post(`${S}/room/${roomId}/media/quarantine`)),
    ).to.deep.equal({ num_quarantined: 1 });
    await expectGone(two);
    await expectThere(three);
    expect(
      must(await moderator.post(`${S}/user/${bob.userId}/media/quarantine`)),
    ).to.deep.equal({ num_quarantined: 1 });
    await expectGone(three);
    for (const id of [one, two, three])
      must(await moderator.post(`${S}/media/unquarantine/test/${id}`));
    await expectThere(one);
    await expectThere(three);
    expect(
      must(await moderator.post(`${S}/quarantine_media/${roomId}`)),
    ).to.deep.equal({ num_quarantined: 2 });
    const feed = must<{ next_batch: number; changes: Json[] }>(
      await admin.get(`${S}/media/quarantine_changes`),
    );
    expect(
      feed.changes.map((change) => [change["media_id"], change["quarantined"]]),
    ).to.deep.equal([
      [one, true],
      [two, true],
      [three, true],
      [one, false],
      [two, false],
      [three, false],
      ...[one, two].sort().map((id) => [id, true]),
    ]);
    const rest = must<{ next_batch: number; changes: Json[] }>(
      await admin.get(`${S}/media/quarantine_changes?from=${feed.next_batch}`),
    );
    expect(rest).to.deep.equal({ next_batch: feed.next_batch, changes: [] });
  }).timeout(60_000);

  it("are never withheld, nor deleted with others, while they are protected", async () => {
    const carol = await server.user("carol");
    const id = await uploadImage(carol);
    must(await moderator.post(`${S}/media/protect/${id}`));
    expect(await infoOf(id)).to.include({ safe_from_quarantine: true });
    must(await moderator.post(`${S}/media/quarantine/test/${id}`));
    expect(
      must(await moderator.post(`${S}/user/${carol.userId}/media/quarantine`)),
    ).to.deep.equal({ num_quarantined: 0 });
    must(
      await admin.post(
        `${S}/media/delete?before_ts=${Date.now() + DAY_MS}&size_gt=0&keep_profiles=false`,
      ),
    );
    await expectThere(id);
    must(await moderator.post(`${S}/media/unprotect/${id}`));
    must(await moderator.post(`${S}/media/quarantine/test/${id}`));
    await expectGone(id);
  });

  it("are told of one by one", async () => {
    const id = await upload(alice, Buffer.from("text"), "text/plain", "a.txt");
    const info = await infoOf(id);
    expect(info).to.deep.include({
      media_id: id,
      user_id: alice.userId,
      media_origin: null,
      media_type: "text/plain",
      media_length: 4,
      upload_name: "a.txt",
      quarantined_by: null,
      safe_from_quarantine: false,
      last_access_ts: null,
      url_cache: null,
    });
    for (const target of ["test/absent", "elsewhere/absent"])
      expect((await admin.get(`${S}/media/${target}`)).status).to.equal(404);
    const refused = await alice.get(`${S}/media/test/${id}`);
    expect(refused.body["org.myelin.permission"]).to.equal("media.read");
  });

  it("are deleted for good: the row, its key and the bytes, thumbnails too", async () => {
    const before = await filesOf();
    const id = await uploadImage(alice);
    await expectThere(id);
    must(await alice.get(thumbnailPath(id, { width: 32, height: 32 })));
    expect(await filesOf()).to.be.above(before + 1);
    expect(must(await admin.delete(`${S}/media/test/${id}`, {}))).to.deep.equal(
      { deleted_media: [id], total: 1 },
    );
    await expectGone(id);
    expect(await filesOf()).to.equal(before);
    const rows = await server.database.sql`
      select from media where media_id = ${id}`;
    expect(rows).to.have.length(0);
    expect((await admin.delete(`${S}/media/test/${id}`)).status).to.equal(404);
    const foreign = await admin.delete(`${S}/media/elsewhere/${id}`);
    expect(foreign.body["errcode"]).to.equal("M_INVALID_PARAM");
    const refused = await moderator.delete(`${S}/media/test/${id}`);
    expect(refused.body["org.myelin.permission"]).to.equal("media.delete");
  });

  it("share their bytes with an equal file until that is deleted too", async () => {
    const dave = await server.user("dave");
    const [one, two] = [await uploadImage(dave), await uploadImage(dave)];
    must(await admin.delete(`${S}/media/test/${one}`));
    await expectThere(two);
    must(await admin.delete(`${S}/media/test/${two}`));
    await expectGone(two);
  });

  it("are deleted by age and size, as synadm asks too; pictures stay unless told", async () => {
    const erin = await server.user("erin");
    const small = await upload(erin, "small", "text/plain");
    const large = await upload(erin, "x".repeat(5_000), "text/plain");
    const avatar = await uploadImage(erin);
    must(
      await erin.put(`/profile/${erin.userId}/avatar_url`, {
        avatar_url: `mxc://test/${avatar}`,
      }),
    );
    const used = await upload(erin, "y".repeat(6_000), "text/plain");
    const { sql } = server.database;
    await sql`update media set created_ts = created_ts - ${10 * DAY_MS}::bigint where user_id = ${erin.userId}`;
    // Had since, by whom it may be had.
    must(await alice.get(downloadPath(used)));
    expect((await infoOf(used))["last_access_ts"]).to.be.above(
      Date.now() - 60_000,
    );
    const ts = Date.now() - 5 * DAY_MS;
    const deleted = must<{ deleted_media: string[]; total: number }>(
      await admin.post(
        `${S}/media/test/delete?server_name=test&before_ts=${ts}&size_gt=1000`,
      ),
    );
    expect(deleted).to.deep.equal({ deleted_media: [large], total: 1 });
    await infoOf(small);
    const others = must<{ deleted_media: string[] }>(
      await admin.post(`${S}/media/delete?before_ts=${ts}`),
    );
    expect(others.deleted_media).to.deep.equal([small]);
    const pictures = must<{ deleted_media: string[] }>(
      await admin.post(`${S}/media/delete?before_ts=${ts}&keep_profiles=false`),
    );
    expect(pictures.deleted_media).to.deep.equal([avatar]);
    must(await alice.get(downloadPath(used)));
    for (const [query, errcode] of [
      ["", "M_MISSING_PARAM"],
      ["?before_ts=-1", "M_INVALID_PARAM"],
      [`?before_ts=${Math.floor(Date.now() / 1000)}`, "M_INVALID_PARAM"],
      ["?before_ts=0&size_gt=x", "M_INVALID_PARAM"],
    ] as const) {
      const answer = await admin.post(`${S}/media/delete${query}`);
      expect(answer.body["errcode"], query).to.equal(errcode);
    }
    const foreign = await admin.post(
      `${S}/media/elsewhere/delete?before_ts=${ts}`,
    );
    expect(foreign.body["errcode"]).to.equal("M_INVALID_PARAM");
  });

  it("of other servers are what was fetched of their pages, and go by age", async () => {
    const { sql } = server.database;
    await sql`
      insert into url_previews (url_hash, fetched_ts, expires_ts, is_failure, key_id, sealed)
      select sha256(i::text::bytea), i, 1, false, 0, '' from generate_series(1, 3) i`;
    expect(
      must(await admin.post(`${S}/purge_media_cache?before_ts=${Date.now()}`)),
    ).to.deep.equal({ deleted: 3 });
    const none = await admin.post(`${S}/purge_media_cache`);
    expect(none.body["errcode"]).to.equal("M_MISSING_PARAM");
  });

  it("of a user are listed in any order and pages, and deleted so", async () => {
    const fay = await server.user("fay");
    const ids: string[] = [];
    for (const [name, size] of [
      ["c.txt", 1],
      ["a.txt", 3],
      ["b.txt", 2],
    ] as const)
      ids.push(await upload(fay, "z".repeat(size), "text/plain", name));
    const list = async (query: string) =>
      must<{ media: Json[]; total: number; next_token?: number }>(
        await admin.get(`${S}/users/${fay.userId}/media?${query}`),
      );
    const names = async (query: string) =>
      (await list(query)).media.map((row) => row["upload_name"]);
    expect(await names("order_by=upload_name")).to.deep.equal([
      ...["a.txt", "b.txt", "c.txt"],
    ]);
    expect(await names("order_by=media_length&dir=b")).to.deep.equal([
      ...["a.txt", "b.txt", "c.txt"],
    ]);
    for (const order of [
      ...["media_id", "created_ts", "last_access_ts", "media_type"],
      ...["user_id", "quarantined_by", "safe_from_quarantine", ""],
    ])
      expect(await names(`order_by=${order}`), order).to.have.length(3);
    const first = await list("limit=2&order_by=upload_name&from=0&dir=f");
    expect(first).to.include({ total: 3, next_token: 2 });
    const rest = await list("limit=2&order_by=upload_name&from=2");
    expect(rest.media).to.have.length(1);
    expect(rest).to.not.have.property("next_token");
    const deleted = must<{ deleted_media: string[]; total: number }>(
      await admin.delete(
        `${S}/users/${fay.userId}/media?limit=2&order_by=upload_name`,
      ),
    );
    expect(deleted).to.deep.equal({
      deleted_media: [ids[1], ids[2]],
      total: 2,
    });
    expect((await list("")).total).to.equal(1);
    const own = `${N}/users/${fay.userId}/media`;
    for (const query of ["dir=", "dir=x", "limit=0", "order_by="]) {
      const answer = await admin.delete(`${own}?${query}`);
      expect(answer.body["errcode"], query).to.equal("M_INVALID_PARAM");
    }
    expect(must(await admin.delete(`${own}?dir=b`))).to.deep.equal({
      ...{ deleted_media: [ids[0]], total: 1 },
    });
  });

  it("leave a record of each act", async () => {
    const rows = await server.database.sql<{ record: string }[]>`
      select record from audit_log`;
    const acts = rows.map(
      ({ record }) => (JSON.parse(record) as Json)["action"],
    );
    expect(acts).to.include.members(["media.quarantine", "media.delete"]);
  });
});
