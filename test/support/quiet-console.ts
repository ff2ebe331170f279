const METHODS = ["trace", "debug", "log", "info", "warn", "error"] as const;
const KEPT = 80;
const shared = globalThis.console;

/** Keeps a talkative library off the terminal; what it said last is shown where a test fails. */
export function useQuietConsole(): void {
  const originals = METHODS.map((method) => [method, shared[method]] as const);
  const said: string[] = [];
  before("hush the console", () => {
    for (const [method] of originals)
      shared[method] = (...words: unknown[]) => {
        said.push(`${method} ${words.map(String).join(" ")}`);
        if (said.length > KEPT) said.shift();
      };
  });
  afterEach(function () {
    if (this.currentTest?.state === "failed")
      process.stderr.write(`\n${said.join("\n")}\n`);
  });
  after("give the console back", () => {
    for (const [method, original] of originals) shared[method] = original;
  });
}
