import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives folders that are removed when the specs around it have run. */
export function useFolders(): () => Promise<string> {
  const folders: string[] = [];
  after("remove folders", async () => {
    for (const folder of folders) {
      await rm(folder, { recursive: true, force: true });
    }
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), "myelin-keys-"));
    folders.push(folder);
    return folder;
  };
}
