import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { DeviceProgram } from "./device-program.ts";

/** Debian's package belongs to Debian's Python, which need not be the first one. */
const python = ["python3", "/usr/bin/python3"].find(
  (path) => spawnSync(path, ["-c", "import nio"]).status === 0,
);

/** Whether Debian's python3-matrix-nio is installed here. */
export const hasNio = python !== undefined;

export function startNioDevice(): DeviceProgram {
  if (python === undefined) throw new Error("matrix-nio is not installed");
  const script = join("test", "clients", "nio_device.py");
  return new DeviceProgram(python, [script]);
}

export function startSdkDevice(): DeviceProgram {
  const script = join(import.meta.dirname, "sdk-device-program.js");
  return new DeviceProgram(process.execPath, [script]);
}
