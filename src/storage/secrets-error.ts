/** A secret of this server is missing, wrong or unsafe; the message says what to do. */
export class SecretsError extends Error {
  override name = "SecretsError";
}
