// Loaded into the server by NODE_OPTIONS: its Date is shifted by what a file says.
import { readFileSync } from "node:fs";

const file = process.env["FAULTS_CLOCK"] ?? "";
/** "" for the first process, "1" and so on for those that serve. */
const own = process.env["NODE_UNIQUE_ID"] ?? "";
const RealDate = Date;
let offset = 0;

function readOffset(): void {
  try {
    const offsets = JSON.parse(readFileSync(file, "utf8")) as Record<
      string,
      number
    >;
    offset = offsets[own] ?? offsets["all"] ?? 0;
  } catch {
    // Half written: the next look finds it whole.
  }
}

class ShiftedDate extends RealDate {
  constructor(...args: [] | [number]) {
    if (args.length === 0) super(RealDate.now() + offset);
    else super(...args);
  }
  static override now(): number {
    return RealDate.now() + offset;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
readOffset();
setInterval(readOffset, 20).unref();
