/** What the operations are grouped by: the first segment of their paths. */
const TOPICS: Readonly<Record<string, readonly string[]>> = {
  "Who may do what": [
    ...["me", "permissions", "roles", "role-bindings", "groups", "tokens"],
  ],
  Approvals: ["approvals"],
  Policies: ["policies"],
  "The audit log": ["audit", "alerts"],
  Users: ["users", "look-up", "registration-tokens", "notices"],
  Rooms: ["rooms", "fetch_event"],
  Media: ["media"],
  Reports: ["event_reports", "user_reports", "room_reports"],
  Privacy: ["dsr"],
  Retention: ["retention"],
  "Legal holds": ["holds"],
  "The server": [
    ...["server-version", "statistics", "jobs", "background-jobs"],
    "federation",
  ],
  "This document": ["openapi.yaml", "openapi.json", "docs"],
};

const known = new Map(
  Object.entries(TOPICS).flatMap(([topic, segments]) =>
    segments.map((segment) => [segment, topic] as const),
  ),
);

/** What has no topic of its own is called by its first segment. */
export function topicOf(path: string): string {
  const [segment = ""] = path.split("/");
  return (
    known.get(segment) ?? segment.charAt(0).toUpperCase() + segment.slice(1)
  );
}

/** In their order, those that are not known last. */
export const inOrder = (topics: Iterable<string>): string[] => {
  const places = Object.keys(TOPICS);
  const placeOf = (topic: string) =>
    places.includes(topic) ? places.indexOf(topic) : places.length;
  return [...new Set(topics)].sort(
    (a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1),
  );
};
