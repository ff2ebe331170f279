const sentences = {
  refused: "This address may not be called.",
  unreachable: "The other machine could not be reached.",
  slow: "The other machine took too long.",
  large: "The other machine's answer is too large.",
  unreadable: "The other machine's answer could not be read.",
  aborted: "The call was given up.",
};

export type EgressFailure = keyof typeof sentences;

/** Why a call to another machine gave no answer. Nothing of what it said is told. */
export class EgressError extends Error {
  override readonly name = "EgressError";
  readonly failure: EgressFailure;

  constructor(failure: EgressFailure, options?: ErrorOptions) {
    super(sentences[failure], options);
    this.failure = failure;
  }
}

const CODES: ReadonlyMap<unknown, EgressFailure> = new Map([
  ["UND_ERR_CONNECT_TIMEOUT", "slow"],
  ["UND_ERR_HEADERS_TIMEOUT", "slow"],
  ["UND_ERR_BODY_TIMEOUT", "slow"],
  ["UND_ERR_HEADERS_OVERFLOW", "large"],
  ["UND_ERR_RES_EXCEEDED_MAX_SIZE", "large"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "unreadable"],
]);

/** What any error of the way there and back means. */
export function egressErrorOf(error: unknown): EgressError {
  if (error instanceof EgressError) return error;
  const { name, code } = error as { name?: unknown; code?: unknown };
  const isGarbage = name === "HTTPParserError" || /^Z_/.test(String(code));
  const failure = isGarbage ? "unreadable" : CODES.get(code);
  return new EgressError(failure ?? "unreachable", { cause: error });
}
