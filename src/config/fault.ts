/** One thing wrong with the configuration. */
export interface Fault {
  /** The setting's path or the environment variable, or "" for the whole file. */
  readonly path: string;
  /** What is wrong and what was expected. */
  readonly problem: string;
}

/** All that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    const lines = faults.map(({ path, problem }) =>
      path === "" ? `  ${problem}` : `  ${path}: ${problem}`,
    );
    super(["The configuration cannot be used:", ...lines].join("\n"));
    this.faults = faults;
  }
}
