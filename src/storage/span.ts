/** The batches in a part of the stream that touched a room, whole ones. */
export interface Span {
  /** Where the first of them begins: its positions lie above. */
  after: number;
  /** Where the last of them ends. */
  upTo: number;
}
