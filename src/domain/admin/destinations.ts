import { MatrixError } from "../../core/errors.ts";

/**
 * How another server is reached. There is no federation yet: none was ever called, so
 * none is known.
 * @throws MatrixError M_NOT_FOUND
 */
export async function getDestination(_serverName: string): Promise<never> {
  throw new MatrixError("M_NOT_FOUND", "This server was never called.");
}
