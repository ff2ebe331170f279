import type { DestinationStream } from "pino";

/** Turns each JSON line into `time level message name=value …`, still one line. */
export function textLines(output: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { time, level, msg, ...rest } = JSON.parse(line) as Record<
        string,
        unknown
      >;
      const fields = Object.entries(rest).map(
        ([name, value]) => `${name}=${JSON.stringify(value)}`,
      );
      const words = [time, String(level).padEnd(5), escape(msg), ...fields];
      output.write(`${words.join(" ")}\n`);
    },
  };
}

/** Line breaks and terminal codes from outside stay visible text. */
const escape = (message: unknown): string =>
  JSON.stringify(String(message)).slice(1, -1);
