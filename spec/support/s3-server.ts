import { startS3Server, type S3Process } from "../../bench/target/s3-server.ts";
import { useFolders } from "./use-folder.ts";

export {
  S3_ACCESS_KEY,
  S3_BUCKET,
  S3_SECRET_KEY,
} from "../../bench/target/s3-server.ts";

export interface S3Server {
  readonly endpoint: string;
  /** Its objects and unfinished uploads, as files. */
  readonly folder: string;
}

/** A real S3 server in a process of its own, for the enclosing `describe`. */
export function useS3Server(): S3Server {
  const makeFolder = useFolders();
  let server: S3Process | undefined;
  let folder = "";

  before("start an S3 server", async () => {
    folder = await makeFolder();
    server = await startS3Server(folder);
  });

  after("stop the S3 server", () => server?.stop());

  return {
    get endpoint() {
      return server?.endpoint ?? "";
    },
    get folder() {
      return folder;
    },
  };
}
