import { LineCounter, parseDocument } from "yaml";
import { checkCombinations } from "./combinations.ts";
import { describeFaults } from "./describe-fault.ts";
import { readEnvironment } from "./environment.ts";
import { ConfigError, type Fault } from "./fault.ts";
import { finishSection } from "./finish.ts";
import { listSettings } from "./leaves.ts";
import { configSchema, type Config } from "./schema.ts";
import { compileSection } from "./validator.ts";

type Tree = Record<string, unknown>;

interface Sources {
  /** The text of the YAML file, if there is one. */
  yaml?: string | undefined;
  environment?: Readonly<Record<string, string | undefined>>;
  /** Values of the command line, by dotted path; they win. */
  overrides?: ReadonlyMap<string, unknown>;
}

const settings = listSettings(configSchema);
const validate = compileSection(configSchema);

/** @throws ConfigError with every fault there is. */
export function loadConfig({
  yaml = "",
  environment = {},
  overrides = new Map(),
}: Sources): Config {
  const { tree, faults } = readYaml(yaml);
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

function readYaml(text: string): { tree: Tree; faults: Fault[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const faults = document.errors.map(({ message, pos: [start] }) => {
    const { line } = lineCounter.linePos(start);
    return { path: `line ${line}`, problem: `expected YAML: ${message}.` };
  });
  if (faults.length > 0) return { tree: {}, faults };
  const tree: unknown = document.toJS() ?? {};
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
