// Compiles the TypeScript files that changed, each on its own, from the given
// folders into build/. Types are checked by `npm run types`, not here.
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker, workerData } from "node:worker_threads";

const root = dirname(import.meta.dirname);

/** Brings build/ up to date for these folders of the checkout. */
export async function build(folders) {
  const stamp = stampOfCompiler();
  for (const folder of folders) await buildFolder(folder, stamp);
}

async function buildFolder(folder, stamp) {
  const stampFile = join(root, "build", folder, ".stamp");
  const isFresh =
    existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
  const sources = listSources(folder);
  removeOrphans(folder, new Set(sources.map(outputOf)));
  const stale = sources.filter((source) => !isFresh || !isUpToDate(source));
  if (stale.length > 0) await compileAll(stale);
  if (!isFresh) writeAtomically(stampFile, stamp);
}

/** With this many to do, loading the compiler twice pays. */
const SHARED_FROM = 40;

async function compileAll(sources) {
  if (sources.length < SHARED_FROM || availableParallelism() === 1)
    return compileHere(sources);
  const half = sources.length / 2;
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { compile: sources.slice(half) },
  });
  const finished = once(worker, "exit");
  await compileHere(sources.slice(0, half));
  const [code] = await finished;
  if (code !== 0) throw new Error("The sources could not be compiled.");
}

async function compileHere(sources) {
  const { default: ts } = await importCompiler();
  const { config } = ts.readConfigFile(
    join(root, "tsconfig.json"),
    ts.sys.readFile,
  );
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      // One file alone does not know that package.json says "module".
      module: "esnext",
      moduleResolution: "bundler",
      noEmit: false,
    },
    root,
  );
  for (const source of sources) compile(ts, options, source);
}

async function importCompiler() {
  try {
    return await import("typescript");
  } catch {
    process.stderr.write(
      "The sources are newer than build/, and the TypeScript compiler is not installed: run npm ci.\n",
    );
    process.exit(1);
  }
}

function listSources(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => /\.(ts|json)$/.test(name) && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

const outputOf = (source) =>
  join(root, "build", source.replace(/\.ts$/, ".js"));

/** A test whose source is gone must not run on. */
function removeOrphans(folder, outputs) {
  const built = join(root, "build", folder);
  if (!existsSync(built)) return;
  for (const name of readdirSync(built, { recursive: true })) {
    const output = join(built, name);
    if (/\.(js|json|map)$/.test(name) && !outputs.has(output))
      rmSync(output, { force: true });
  }
}

/** An output bears the very time of the source it was made from. */
function isUpToDate(source) {
  const output = statSync(outputOf(source), { throwIfNoEntry: false });
  const { mtimeMs } = statSync(join(root, source));
  return output !== undefined && Math.abs(output.mtimeMs - mtimeMs) < 2;
}

function compile(ts, options, source) {
  const path = join(root, source);
  const { mtime } = statSync(path);
  const text = readFileSync(path, "utf8");
  const output = outputOf(source);
  mkdirSync(dirname(output), { recursive: true });
  if (source.endsWith(".ts")) {
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: options,
      fileName: path,
    });
    writeAtomically(output, outputText, mtime);
  } else {
    writeAtomically(output, text, mtime);
  }
}

/** Several starts may build at once; none may read half a file. */
function writeAtomically(path, text, mtime) {
  const temporary = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(temporary, text);
  if (mtime) utimesSync(temporary, mtime, mtime);
  renameSync(temporary, path);
}

/** Changes when everything has to be compiled anew. */
function stampOfCompiler() {
  const hash = createHash("sha256");
  for (const path of ["tsconfig.json", "bin/build.js", "package-lock.json"])
    hash.update(readFileSync(join(root, path)));
  return hash.digest("hex");
}

if (workerData?.compile) {
  await compileHere(workerData.compile);
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folders = process.argv.slice(2);
  await build(folders.length > 0 ? folders : ["src", "spec", "test", "bench"]);
}
