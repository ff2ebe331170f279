import { join } from "node:path";

/** Where administrators are served who may open the data folder. */
export const socketOf = (dataFolder: string): string =>
  join(dataFolder, "admin.sock");
