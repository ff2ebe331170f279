/** What a line of a list is bound to while it is sealed. */
export const importContext = (jobId: string, line: number): string =>
  `import_rows.sealed ${jobId} ${line}`;
