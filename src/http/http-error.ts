import type { Errcode } from "../core/errors.ts";
import { MatrixError } from "../core/errors.ts";

/** A refusal of the HTTP layer itself, which knows its status. */
export class HttpError extends MatrixError {
  override name = "HttpError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    errcode: Errcode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(errcode, message);
    this.status = status;
    this.headers = headers;
  }
}

/** The client went away before its request was read: there is nobody to answer. */
export class ClientGone extends Error {
  override name = "ClientGone";
}
