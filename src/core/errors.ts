/** The error codes of the Matrix specification, of proposals and of our own, that this server answers. */
export type Errcode =
  | "M_FORBIDDEN"
  | "M_UNKNOWN_TOKEN"
  | "M_MISSING_TOKEN"
  | "M_USER_LOCKED"
  | "M_USER_SUSPENDED"
  | "M_USER_DEACTIVATED"
  | "M_BAD_JSON"
  | "M_NOT_JSON"
  | "M_NOT_FOUND"
  | "M_LIMIT_EXCEEDED"
  | "M_UNRECOGNIZED"
  | "M_UNKNOWN"
  | "M_UNAUTHORIZED"
  | "M_USER_IN_USE"
  | "M_INVALID_USERNAME"
  | "M_ROOM_IN_USE"
  | "M_INVALID_ROOM_STATE"
  | "M_THREEPID_IN_USE"
  | "M_THREEPID_NOT_FOUND"
  | "M_THREEPID_AUTH_FAILED"
  | "M_THREEPID_DENIED"
  | "M_THREEPID_MEDIUM_NOT_SUPPORTED"
  | "M_SERVER_NOT_TRUSTED"
  | "M_UNSUPPORTED_ROOM_VERSION"
  | "M_INCOMPATIBLE_ROOM_VERSION"
  | "M_BAD_STATE"
  | "M_GUEST_ACCESS_FORBIDDEN"
  | "M_CAPTCHA_NEEDED"
  | "M_CONSENT_NOT_GIVEN"
  | "M_CAPTCHA_INVALID"
  | "M_MISSING_PARAM"
  | "M_INVALID_PARAM"
  | "M_TOO_LARGE"
  | "M_EXCLUSIVE"
  | "M_RESOURCE_LIMIT_EXCEEDED"
  | "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM"
  | "M_WEAK_PASSWORD"
  | "M_UNABLE_TO_AUTHORISE_JOIN"
  | "M_UNABLE_TO_GRANT_JOIN"
  | "M_BAD_ALIAS"
  | "M_DUPLICATE_ANNOTATION"
  | "M_NOT_YET_UPLOADED"
  | "M_CANNOT_OVERWRITE_MEDIA"
  | "M_UNKNOWN_POS"
  | "M_URL_NOT_SET"
  | "M_BAD_STATUS"
  | "M_CONNECTION_FAILED"
  | "M_CONNECTION_TIMEOUT"
  | "M_WRONG_ROOM_KEYS_VERSION"
  | "M_INVALID_SIGNATURE"
  | "M_INVITE_BLOCKED"
  | "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED"
  | "M_PROFILE_TOO_LARGE"
  | "M_KEY_TOO_LARGE"
  | "M_USER_LIMIT_EXCEEDED"
  | "M_SENDER_IGNORED"
  | "M_APPSERVICE_LOGIN_UNSUPPORTED"
  | "ORG_MATRIX_EXPIRED_ACCOUNT"
  | "ORG_MYELIN_APPROVAL_REQUIRED"
  | "ORG_MYELIN_CASE_REQUIRED"
  | "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION"
  | "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD";

/**
 * A protocol error that a client may see. It holds no HTTP status: the HTTP
 * layer owns that table. `extra` is merged into the answer's body
 * (`retry_after_ms`, `soft_logout`, `room_version`, …).
 */
export class MatrixError extends Error {
  override name = "MatrixError";
  readonly errcode: Errcode;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    errcode: Errcode,
    message: string,
    extra: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.errcode = errcode;
    this.extra = extra;
  }
}

/**
 * Makes an error that a flood of requests may make by the thousand: where it was made says
 * nothing of it, and to find that out costs as much as all else of the refusal.
 */
export function withoutStack<T extends Error>(make: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
