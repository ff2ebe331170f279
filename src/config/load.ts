import { checkCombinations } from "./combinations.ts";
import { describeFaults } from "./describe-fault.ts";
import { readEnvironment } from "./environment.ts";
import { ConfigError, type Fault } from "./fault.ts";
import { finishSection } from "./finish.ts";
import { listSettings } from "./leaves.ts";
import { configSchema, type Config } from "./schema.ts";
import type { SettingsFile } from "./settings-file.ts";
import { compileSection } from "./validator.ts";

type Tree = Record<string, unknown>;

interface Sources {
  /** What the settings file holds, if there is one. */
  file?: SettingsFile | undefined;
  environment?: Readonly<Record<string, string | undefined>>;
  /** Values of the command line, by dotted path; they win. */
  overrides?: ReadonlyMap<string, unknown>;
}

const settings = listSettings(configSchema);
const validate = compileSection(configSchema);

/** @throws ConfigError with every fault there is. */
export function loadConfig({
  file = { settings: {}, faults: [] },
  environment = {},
  overrides = new Map(),
}: Sources): Config {
  const { tree, faults } = treeOf(file);
  const fromEnvironment = readEnvironment(settings, environment);
  faults.push(...fromEnvironment.faults);
  for (const [{ path }, value] of fromEnvironment.values)
    setAt(tree, path, value);
  for (const [path, value] of overrides) setAt(tree, path.split("."), value);

  if (!validate(tree))
    faults.push(...describeFaults(validate.errors ?? [], settings));
  faults.push(...checkCombinations(tree));
  if (faults.length > 0) throw new ConfigError(faults);
  return finishSection(configSchema, tree) as Config;
}

/** A tree of its own to fill in. */
function treeOf(file: SettingsFile): { tree: Tree; faults: Fault[] } {
  const faults = [...file.faults];
  const tree: unknown = structuredClone(file.settings);
  if (isTree(tree)) return { tree, faults };
  return {
    tree: {},
    faults: [{ path: "", problem: "expected settings with names and values." }],
  };
}

/** Where a section is not one, the check reports it and the value is left out. */
function setAt(tree: Tree, path: readonly string[], value: unknown): void {
  const [name = "", ...rest] = path;
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const inner = (tree[name] ??= {});
  if (isTree(inner)) setAt(inner, rest, value);
}

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);
