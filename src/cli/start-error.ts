/** A reason not to start that its message explains to the person who started us. */
export class StartError extends Error {
  override readonly name = "StartError";
}
