import Mocha from "mocha";

/** The dots and the failures, each told at once and all at the end, what was passed over, and a last line for machines. */
class CountingReporter extends Mocha.reporters.Dot {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const pending: string[] = [];
    runner.on("pending", (test) => pending.push(test.fullTitle()));
    runner.on("fail", (test, error) => {
      const { stack, message } = error as Error;
      process.stdout.write(
        `\nFAILED: ${test.fullTitle()}\n${stack ?? message}\n`,
      );
    });
    runner.once("end", () => {
      const { passes, failures } = this.stats;
      for (const title of pending) process.stdout.write(`not run: ${title}\n`);
      process.stdout.write(`${passes} passed, ${failures} failed\n`);
    });
  }
}

export default CountingReporter;
