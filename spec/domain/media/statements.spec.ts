import { expect } from "chai";
import { downloadFile } from "../../../src/domain/media/download.ts";
import { getThumbnail } from "../../../src/domain/media/thumbnail.ts";
import { sendMessage } from "../../../src/domain/rooms/send.ts";
import type { Edges } from "../../../src/edges.ts";
import { countStatements } from "../../support/count-statements.ts";
import { imageOf, upload } from "../../support/media.ts";
import { makeRoom, send } from "../../support/rooms.ts";
import { requesterOf } from "../../support/requester.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("the statements of media", () => {
  const server = useServer();
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  const counting = () => {
    const { sql, taken } = countStatements(server.edges.db);
    const edges: Edges = { ...server.edges, db: sql };
    return { edges, taken };
  };

  const wantedOf = (mediaId: string) => ({
    ...{ serverName: "test", mediaId, timeoutMs: 0, isLegacy: false },
    signal: () => new AbortController().signal,
  });

  it("are one for a download and one for a thumbnail that is there, with one file and with 60", async () => {
    const { edges, taken } = counting();
    const wish = {
      width: 32,
      height: 32,
      method: "crop",
      isAnimated: false,
    } as const;
    const count = async (mediaId: string) => {
      await getThumbnail(edges, { ...wantedOf(mediaId), ...wish });
      taken();
      await downloadFile(edges, wantedOf(mediaId));
      const ofDownload = taken();
      await getThumbnail(edges, { ...wantedOf(mediaId), ...wish });
      return [ofDownload, taken()];
    };
    const first = await upload(alice, await imageOf(50, 50), "image/png");
    expect(await count(first)).to.deep.equal([1, 1]);
    for (let i = 0; i < 59; i += 1) await upload(alice, `file ${i}`);
    const last = await upload(alice, await imageOf(51, 50), "image/png");
    expect(await count(last)).to.deep.equal([1, 1]);
  });

  it("are none but the commit for a message that names a file", async () => {
    const mediaId = await upload(alice, "text");
    const roomId = await makeRoom(alice);
    const content = {
      msgtype: "m.file",
      body: "b",
      url: `mxc://test/${mediaId}`,
    };
    await send(alice, roomId, "m.room.message", content);
    const { edges, taken } = counting();
    const message = { type: "m.room.message", content, txnId: "counted" };
    await sendMessage(edges, requesterOf(alice), roomId, message);
    expect(taken()).to.equal(0);
  });
});
