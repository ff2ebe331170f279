#!/usr/bin/env node
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

if (existsSync(join(root, "src"))) {
  const { build } = await import("./build.js");
  await build(["src"]);
}
await import("../build/src/main.js");
