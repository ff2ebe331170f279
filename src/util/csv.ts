/** A record of a CSV text, and the line that it begins at. */
export interface CsvRecord {
  line: number;
  fields: string[];
}

/** A text that is no CSV, from this line on. */
export class CsvFault extends Error {
  override name = "CsvFault";
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Up to what ends a field that does not stand in quotes. */
const PLAIN = /[^,"\r\n]*/y;
/** Up to the quote that ends a field, or is doubled. */
const QUOTED = /[^"]*/y;

/**
 * Reads records that are separated by line ends, and fields by commas; a field in quotes
 * may hold both. Empty lines are none.
 * https://www.rfc-editor.org/rfc/rfc4180
 */
export function readCsv(text: string, mostRecords = Infinity): CsvRecord[] {
  const records: CsvRecord[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  let record: CsvRecord = { line, fields: [] };

  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [taken = ""] = pattern.exec(text) ?? [];
    at += taken.length;
    return taken;
  };
  const takeQuoted = (): string => {
    const begin = line;
    let field = "";
    at += 1;
    for (;;) {
      const part = take(QUOTED);
      line += part.split("\n").length - 1;
      field += part;
      if (at >= text.length)
        throw new CsvFault(begin, "A quote is not closed.");
      at += 1;
      if (text[at] !== '"') return field;
      field += '"';
      at += 1;
    }
  };
  const endRecord = () => {
    const isEmpty = record.fields.length === 1 && record.fields[0] === "";
    if (isEmpty) return;
    if (records.length >= mostRecords)
      throw new CsvFault(
        record.line,
        `There are more than ${mostRecords} records.`,
      );
    records.push(record);
  };

  while (at < text.length || record.fields.length > 0) {
    record.fields.push(text[at] === '"' ? takeQuoted() : take(PLAIN));
    const next = text[at];
    if (next === ",") {
      at += 1;
      continue;
    }
    endRecord();
    if (next === undefined) return records;
    if (next !== "\r" && next !== "\n")
      throw new CsvFault(line, "A quote stands within a field.");
    at += next === "\r" && text[at + 1] === "\n" ? 2 : 1;
    line += 1;
    record = { line, fields: [] };
  }
  return records;
}
