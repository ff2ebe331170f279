/** An account as a line of a list says it; what is left out is not set. */
export interface AccountLine {
  /** Where it begins, from 1. */
  line: number;
  localpart: string;
  displayName?: string;
  email?: string;
  password?: string;
  groups: readonly string[];
}

/** What is wrong with a line. */
export interface LineFault {
  line: number;
  /** Absent where it is the line as a whole. */
  column?: string;
  errcode: string;
  error: string;
}

export const COLUMNS = [
  ...(["localpart", "displayname", "email", "password", "groups"] as const),
];
export type Column = (typeof COLUMNS)[number];

export const isColumn = (name: string): name is Column =>
  COLUMNS.includes(name as Column);
