import { randomBytes } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { createFolderStore } from "../../src/storage/media-folder.ts";
import type { BlobStore } from "../../src/util/blob-store.ts";
import { itIsAStore, newName } from "../support/blob-store.ts";
import { failureOf, inChunks } from "../support/collect.ts";
import { listFiles } from "../support/media.ts";
import { useFolders } from "../support/use-folder.ts";

describe("the folder of files", () => {
  const makeFolder = useFolders();
  let folder: string;
  let store: BlobStore;

  before(async () => {
    folder = join(await makeFolder(), "media");
    store = createFolderStore(folder);
  });

  itIsAStore(() => store);

  it("is read by nobody else", async () => {
    const name = newName();
    await store.put(name, inChunks(randomBytes(10), 5));
    const file = (await listFiles(folder)).find((each) => each.endsWith(name))!;
    expect((await stat(file)).mode & 0o077).to.equal(0);
    expect((await stat(folder)).mode & 0o077).to.equal(0);
  });

  it("removes what a crash left of a file that was being written", async () => {
    const name = newName();
    const left = join(folder, "unfinished", name);
    await writeFile(left, "half a fi");
    await store.remove(name);
    expect(await listFiles(folder)).not.to.include(left);
  });

  it("CVE-2021-41281: leads nowhere else", async () => {
    for (const name of ["../../etc/passwd", "..", "", "a/b", "A".repeat(40)]) {
      const put = store.put(name, inChunks(randomBytes(1), 1));
      expect(await failureOf(put)).to.be.instanceOf(TypeError);
      expect(await failureOf(store.remove(name))).to.be.instanceOf(TypeError);
    }
  });
});
