/** A place outside the database that lines are brought to. It throws what it could not take. */
export interface AuditSink {
  /** Names it in the database; another address is another place. */
  readonly name: string;
  take(lines: readonly AuditLine[]): Promise<void>;
}

export interface AuditLine {
  seq: number;
  ts: number;
  text: string;
  isWarning: boolean;
}
