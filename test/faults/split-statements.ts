/** The statements of an SQL text: apart at semicolons outside of quotes, dollar quotes and comments. */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let start = 0;
  const token =
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"[^"]*"|\$(\w*)\$[\s\S]*?\$\1\$|;/g;
  for (const found of text.matchAll(token)) {
    if (found[0] !== ";") continue;
    statements.push(text.slice(start, found.index));
    start = found.index + 1;
  }
  statements.push(text.slice(start));
  const comments = /--[^\n]*|\/\*[\s\S]*?\*\//g;
  return statements.filter((one) => one.replace(comments, "").trim() !== "");
}
