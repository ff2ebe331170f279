/** One run of a suite, on a server of its own. */
export interface Part {
  readonly name: string;
  readonly args: readonly string[];
}

const part = (name: string, args: string): Part => ({
  name,
  args: args.split(" "),
});

/** All that the bars of docs/performance.md are held against; short parts first. */
const BARS: readonly Part[] = [
  part("sends", "--scenario B13,B1-sends,B15-messages --members 10,100,300"),
  part("receipts", "--scenario B2 --seconds 20"),
  part(
    "receipts-across",
    "--scenario B2 --processes 2 --clients 1 --seconds 10",
  ),
  part("sealing", "--pair sealing --rounds 5 --seconds 5 --warm-up 1"),
  part("rate-limits", "--pair rate-limits --rounds 5 --seconds 5 --warm-up 1"),
  part("processes", "--pair processes --seconds 6 --warm-up 1"),
  part("logins", "--scenario B6"),
  part(
    "rooms",
    "--scenario B3,B16-rooms --processes 2 --rooms 50,500,5000 --seconds 12",
  ),
  part(
    "members",
    "--scenario B15-joins,B16-members --size 10000 --members 10,100,1000,10000 --seconds 5 --warm-up 1",
  ),
  part(
    "history",
    "--scenario B16-history --history 1000,10000,100000,1000000 --seconds 4 --warm-up 0.2 --rounds 5",
  ),
  part("sliding", "--scenario B5 --rooms 500,5000"),
  part("keywords", "--scenario keywords --members 10000 --rounds 5"),
  part("acts", "--scenario acts --rounds 5 --seconds 5 --warm-up 1"),
  part("media", "--scenario B11"),
  part("media-s3", "--scenario B11-files --media-store s3"),
  part("snapshot", "--scenario B1-snapshot --hold-snapshot 600 --seconds 20"),
];

export const SUITES: ReadonlyMap<string, readonly Part[]> = new Map([
  ["bars", BARS],
]);
