import {
  consentUrl,
  parseConsentToken,
  policiesOf,
  readConsents,
  setConsent,
} from "../../domain/privacy/consent.ts";
import type { Settings } from "../../edges.ts";
import { escapeHtml } from "../../util/html.ts";
import { endpoint } from "../endpoint.ts";
import { consentsAnswer } from "../privacy-answers.ts";
import { reply } from "../reply.ts";

const PATH = "/_myelin/client/v1/consent";
const OWN = "/_myelin/client/v1/privacy/consents";

const query = {
  type: "object",
  required: ["token"],
  properties: { token: { type: "string", maxLength: 512 } },
};

type Linked = { query: { token: string } };

/** Shows what is to be agreed to: what looks through mails opens the links in them. */
export const getConsentPage = endpoint<Linked>({
  method: "get",
  path: PATH,
  auth: "none",
  rateLimit: "other",
  query,
  async handle(edges, { query: { token } }) {
    parseConsentToken(edges, token);
    return page(
      `${listOf(edges.settings)}<form method="post"><button>I agree · 我同意</button></form>`,
    );
  },
});

export const postConsentPage = endpoint<Linked>({
  method: "post",
  path: PATH,
  auth: "none",
  audit: "privacy.consent_given",
  rateLimit: "other",
  query,
  async handle(edges, { query: { token } }) {
    const userId = parseConsentToken(edges, token);
    edges.trail?.note({ resource: { type: "user", id: userId } });
    await setConsent(edges, userId, true);
    return page("<p>Thank you. · 谢谢。</p>");
  },
});

export const getOwnConsents = endpoint({
  method: "get",
  path: OWN,
  auth: "user",
  suspended: true,
  rateLimit: "other",
  async handle(edges, { requester: { userId } }) {
    return {
      ...consentsAnswer(await readConsents(edges, userId)),
      consent_uri: consentUrl(edges, userId),
    };
  },
});

export const postOwnConsents = endpoint<{ body: { locale?: string } }>({
  method: "post",
  path: OWN,
  auth: "user",
  audit: "privacy.consent_given",
  ownerOnly: true,
  suspended: true,
  rateLimit: "other",
  body: {
    type: "object",
    properties: { locale: { type: "string", maxLength: 16 } },
  },
  async handle(edges, { requester: { userId }, body: { locale } }) {
    await setConsent(edges, userId, true, locale);
    return consentsAnswer(await readConsents(edges, userId));
  },
});

export const deleteOwnConsents = endpoint({
  method: "delete",
  path: OWN,
  auth: "user",
  audit: "privacy.consent_withdrawn",
  ownerOnly: true,
  suspended: true,
  rateLimit: "other",
  async handle(edges, { requester: { userId } }) {
    await setConsent(edges, userId, false);
    return consentsAnswer(await readConsents(edges, userId));
  },
});

const listOf = (settings: Pick<Settings, "consent">): string =>
  `<ul>${policiesOf(settings)
    .flatMap(({ documents }) => documents)
    .map(
      ({ locale, name, url, version }) =>
        `<li lang="${escapeHtml(locale)}"><a href="${escapeHtml(url)}" rel="noreferrer">${escapeHtml(name)}</a> (${escapeHtml(version)})</li>`,
    )
    .join("")}</ul>`;

const page = (content: string) =>
  reply({
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy":
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      "Referrer-Policy": "no-referrer",
    },
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Policies</title>
<main>${content}</main>
</html>
`,
  });
