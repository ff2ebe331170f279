import type { Edges } from "../../edges.ts";
import { escapeText } from "../../storage/json-text.ts";
import {
  listEventsNear,
  listMemberNidsAt,
} from "../../storage/surroundings.ts";
import { mapEvents, openEvents } from "../rooms/event-store.ts";
import { showEvents, type VisibleEvent } from "../rooms/gate.ts";
import { keyOf } from "../rooms/history.ts";
import {
  formatPagingToken,
  pointAfter,
  pointBefore,
} from "../rooms/paging-token.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** What was said around a result. */
export interface ResultContext {
  /** The nearest first, on either side. */
  before: VisibleEvent[];
  after: VisibleEvent[];
  start: string;
  end: string;
}

export interface SenderProfile {
  displayname?: string;
  avatar_url?: string;
}

/** Of each result in order; with one query for what is around them. */
export async function readContexts(
  edges: Needs,
  viewer: string,
  results: readonly StoredEvent[],
  limits: { before: number; after: number },
  ignored: ReadonlySet<string>,
): Promise<ResultContext[]> {
  const near = await listEventsNear(
    edges.db,
    results.map((event) => ({ roomNid: event.roomNid, ...keyOf(event) })),
    limits,
  );
  const opened = await openEvents(edges, near);
  const shown = await showEvents(edges, viewer, opened);
  const byNid = new Map(shown.map((one) => [one.event.nid, one]));
  const isHeard = ({ event }: VisibleEvent) =>
    event.stateKey !== null || !ignored.has(event.sender);
  return results.map((result, i) => {
    const side = (isBefore: boolean) =>
      near.filter((head) => head.at === i + 1 && head.isBefore === isBefore);
    const shownOf = (isBefore: boolean) =>
      side(isBefore).flatMap(({ nid }) => {
        const one = byNid.get(nid);
        return one && isHeard(one) ? [one] : [];
      });
    const first = side(true).at(-1) ?? result;
    const last = side(false).at(-1) ?? result;
    return {
      before: shownOf(true),
      after: shownOf(false),
      start: formatPagingToken(pointBefore(placeOf(first))),
      end: formatPagingToken(pointAfter(placeOf(last))),
    };
  });
}

const placeOf = ({
  depth,
  arrival,
}: {
  depth: number;
  arrival: number | null;
}) => ({ depth, arrival: arrival ?? 0 });

/** How the senders of events showed in their rooms when a result was sent, by result. */
export async function readSenderProfiles(
  edges: Needs,
  results: readonly { event: StoredEvent; senders: ReadonlySet<string> }[],
): Promise<Map<string, SenderProfile>[]> {
  const wanted = results.flatMap(({ event, senders }, of) =>
    [...senders].map((sender) => ({
      of,
      sender,
      roomNid: event.roomNid,
      userId: escapeText(sender),
      position: event.position ?? 0,
    })),
  );
  const rows = await listMemberNidsAt(edges.db, wanted);
  const events = await mapEvents(
    edges,
    rows.map(({ nid }) => nid),
  );
  const profiles = results.map(() => new Map<string, SenderProfile>());
  for (const { at, nid } of rows) {
    const { of, sender } = wanted[at - 1]!;
    const content = events.get(nid)?.pdu.content ?? {};
    const { displayname: name, avatar_url: avatar } = content;
    profiles[of]!.set(sender, {
      ...(typeof name === "string" && { displayname: name }),
      ...(typeof avatar === "string" &&
        avatar.startsWith("mxc://") && { avatar_url: avatar }),
    });
  }
  return profiles;
}
