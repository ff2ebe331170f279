import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { startPrivatePostgres } from "../../src/cli/private-postgres.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { quiet } from "../support/database.ts";
import { useFolders } from "../support/use-folder.ts";
import { testProgram } from "./program.ts";

/** Each waits a little for a connection. */
const MOST_TRIES = 100;

describe("a private PostgreSQL whose first process is killed", () => {
  const makeFolder = useFolders();

  it("runs again although one of its sessions never ends by itself", async function () {
    if (process.platform !== "linux") this.skip();
    this.timeout(60_000);
    const folder = await makeFolder();
    await chmod(folder, 0o711);
    const running = await startPrivatePostgres(testProgram(), folder, quiet);
    const sql = openDatabase(running.adminUrl, { poolSize: 1, log: quiet });
    const [session] = await sql<{ pid: number }[]>`
      select pg_backend_pid() as pid`;
    const { pid } = session!;
    try {
      process.kill(pid, "SIGSTOP");
      const file = join(folder, "postgres", "postmaster.pid");
      const [first] = (await readFile(file, "utf8")).split("\n");
      process.kill(Number(first), "SIGKILL");
      const other = openDatabase(running.adminUrl, { poolSize: 1, log: quiet });
      const isBack = () =>
        other`select`.then(
          () => true,
          () => false,
        );
      for (let tries = 0; !(await isBack()); tries += 1)
        if (tries > MOST_TRIES) expect.fail("it does not run again");
      await other.end({ timeout: 1 });
    } finally {
      await sql.end({ timeout: 0 });
      if (await lives(pid)) process.kill(pid, "SIGKILL");
      await running.stop();
    }
  });
});

const lives = async (pid: number): Promise<boolean> => {
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(
    () => "",
  );
  return command.startsWith("postgres:");
};
