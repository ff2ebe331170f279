import { MatrixError } from "../../core/errors.ts";

/** What a legal hold keeps is destroyed by nobody. */
export const heldError = (message: string): MatrixError =>
  new MatrixError("M_FORBIDDEN", message, { "org.myelin.held": true });
