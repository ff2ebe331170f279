import { stopServer } from "./database.ts";

/** Read by mocha (`require` in .mocharc.json). */
export const mochaGlobalTeardown = (): Promise<void> => stopServer();
