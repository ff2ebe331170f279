import type { Settings } from "../../edges.ts";
import type { Mail } from "../../remote/mailer.ts";
import { groupBy } from "../../util/group-by.ts";
import { escapeHtml } from "../../util/html.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import { textsOf, type MailTexts } from "./mail-texts.ts";
import type { EventNames } from "./notification.ts";
import type { Parcel } from "./parcels.ts";
import { unsubscribeUrl } from "./unsubscribe.ts";

const MAX_NAME = 100;
const MAX_LINE = 300;

interface Unread {
  event: StoredEvent;
  names: EventNames;
}

interface MailRoom {
  name: string;
  lines: { who: string; what: string }[];
}

/** The mail about what a user has not read: one part as text, one as HTML. */
export function composeMail(
  settings: Settings,
  { pusherId, details, items }: Parcel,
): Mail {
  const texts = textsOf(details.lang);
  const unread = items.flatMap(({ event, names }): Unread[] =>
    event ? [{ event, names }] : [],
  );
  const rooms = [...groupBy(unread, ({ event }) => event.roomNid).values()].map(
    (ofRoom) => roomOf(ofRoom, texts, settings.mail?.showsMessages ?? false),
  );
  const [first] = rooms;
  const place = rooms.length === 1 && first ? first.name : settings.serverName;
  const parts: MailParts = {
    texts,
    rooms,
    subject: texts.subject(unread.length, place),
    greeting: texts.greeting(settings.serverName),
    unsubscribe: unsubscribeUrl(settings, pusherId),
  };
  return {
    to: details.pushkey,
    subject: parts.subject,
    text: textOf(parts),
    html: htmlOf(parts),
    unsubscribeUrl: parts.unsubscribe,
  };
}

function roomOf(
  unread: readonly Unread[],
  texts: MailTexts,
  showsMessages: boolean,
): MailRoom {
  const { roomName, roomAlias } = unread[0]!.names;
  const name = shorten(roomName ?? roomAlias ?? texts.direct, MAX_NAME);
  const whoOf = ({ event, names }: Unread) =>
    shorten(names.senderName ?? event.sender, MAX_NAME);
  if (showsMessages) {
    return {
      name,
      lines: unread.map((each) => ({
        who: whoOf(each),
        what: shorten(bodyOf(each.event) ?? texts.messages(1), MAX_LINE),
      })),
    };
  }
  const bySender = groupBy(unread, ({ event }) => event.sender);
  return {
    name,
    lines: [...bySender.values()].map((ofSender) => ({
      who: whoOf(ofSender[0]!),
      what: texts.messages(ofSender.length),
    })),
  };
}

function bodyOf({ type, pdu }: StoredEvent): string | undefined {
  const { body } = pdu.content;
  return type === "m.room.message" && typeof body === "string"
    ? body
    : undefined;
}

/** On one line, and no longer than so. */
function shorten(text: string, length: number): string {
  const characters = [...text.replaceAll(/[\p{C}\s]+/gu, " ").trim()];
  return characters.length <= length
    ? characters.join("")
    : `${characters.slice(0, length - 1).join("")}…`;
}

interface MailParts {
  texts: MailTexts;
  rooms: readonly MailRoom[];
  subject: string;
  greeting: string;
  unsubscribe: string;
}

const textOf = ({ texts, rooms, greeting, unsubscribe }: MailParts): string =>
  [
    greeting,
    ...rooms.map(({ name, lines }) =>
      [name, ...lines.map(({ who, what }) => `  ${who}: ${what}`)].join("\n"),
    ),
    texts.open,
    `${texts.unsubscribe}: ${unsubscribe}`,
  ].join("\n\n");

/** Names and messages are of strangers: nothing of them is markup here. */
const htmlOf = ({
  texts,
  rooms,
  subject,
  greeting,
  unsubscribe,
}: MailParts): string =>
  `<!doctype html>
<html lang="${texts.lang}">
<meta charset="utf-8">
<title>${escapeHtml(subject)}</title>
<body style="font: 16px/1.5 sans-serif; max-width: 36rem">
<p>${escapeHtml(greeting)}</p>
${rooms.map(roomHtml).join("\n")}
<p>${escapeHtml(texts.open)}</p>
<p style="font-size: 13px"><a href="${escapeHtml(unsubscribe)}">${escapeHtml(texts.unsubscribe)}</a></p>
</body>
</html>
`;

const roomHtml = ({ name, lines }: MailRoom): string =>
  `<h3>${escapeHtml(name)}</h3>
<ul>
${lines.map(({ who, what }) => `<li><b>${escapeHtml(who)}</b>: ${escapeHtml(what)}</li>`).join("\n")}
</ul>`;
