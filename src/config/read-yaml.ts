import { LineCounter, parseDocument } from "yaml";
import type { SettingsFile } from "./settings-file.ts";

/** Reads the text of a settings file. */
export function readYaml(text: string): SettingsFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const faults = document.errors.map(({ message, pos: [start] }) => {
    const { line } = lineCounter.linePos(start);
    return { path: `line ${line}`, problem: `expected YAML: ${message}.` };
  });
  if (faults.length > 0) return { settings: {}, faults };
  return { settings: document.toJS() ?? {}, faults };
}
