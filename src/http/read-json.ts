import { MatrixError } from "../core/errors.ts";
export function readJson(bytes: Buffer, _l: object) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new MatrixError("M_NOT_JSON", "no");
  }
}
