import { expect } from "chai";
import { consentUrl } from "../../src/domain/privacy/consent.ts";
import { unsubscribeUrl } from "../../src/domain/push/unsubscribe.ts";
import { useServer } from "../support/server.ts";
import type { Answer } from "../support/server.ts";

/** Each would run, or leave its place, where it is written as it is. */
const XSS = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `'><svg onload=alert(1)>`,
  `</title><iframe srcdoc="<script>alert(1)</script>">`,
  `" autofocus onfocus="alert(1)`,
  `<a href="javascript:alert(1)">x</a>`,
  `--><style>@import'//evil'</style>`,
  `&lt;script&gt;<ScRiPt>alert(1)</sCrIpT>`,
];

const DOCS = "/_myelin/admin/v1/docs";

describe("pages", () => {
  const server = useServer({
    "privacy.policies": XSS.map(
      (text, i) =>
        `policy_${i} 1.0 en https://example.org/?a=${encodeURIComponent(text)}&b='"x ${text}`,
    ),
  });

  const placeOf = (url: string): string => {
    const { pathname, search } = new URL(url);
    return pathname + search;
  };

  function assertInert({ headers, text }: Answer, about: string): void {
    expect(headers["content-type"], about).to.equal("text/html; charset=utf-8");
    const policy = headers["content-security-policy"];
    expect(policy, about)
      .to.match(/^default-src 'none';/)
      .and.include("frame-ancestors 'none'")
      .and.include("base-uri 'none'")
      .and.not.match(/script-src|unsafe-eval/);
    expect(headers["x-content-type-options"], about).to.equal("nosniff");
    expect(headers["referrer-policy"], about).to.equal("no-referrer");
    expect(text, about).to.not.match(
      /<(?:script|style>@|img|svg|iframe)|javascript:[^&]*"|<[^>]*\son\w+=/i,
    );
  }

  it("C14: consent, unsubscription and the API's document run nothing, whatever stands in them", async () => {
    const { edges } = server;
    const user = await server.user("reader");
    const consent = placeOf(consentUrl(edges, user.userId));
    const pages = [consent, placeOf(unsubscribeUrl(edges.settings, 1)), DOCS];
    for (const page of pages) {
      assertInert(await server.get(page), page);
      for (const text of XSS) {
        const more = `${page.includes("?") ? "&" : "?"}x=${encodeURIComponent(text)}`;
        assertInert(await server.get(page + more), page + more);
      }
    }
    assertInert(await server.post(consent), "agreed");
    const shown = (await server.get(consent)).text;
    expect(shown.match(/<li /g)).to.have.length(XSS.length);
    // Attributes end where they should: each link has the two that it was given.
    expect(shown.match(/<a href="[^"<>]*" rel="noreferrer">/g)).to.have.length(
      XSS.length,
    );
  });

  it("C14: what a link holds is not shown, and what is no page is no HTML", async () => {
    for (const text of XSS) {
      const value = encodeURIComponent(text);
      for (const target of [
        `/_myelin/client/v1/consent?token=${value}`,
        `/_myelin/client/v1/unsubscribe?token=${value}`,
        `/_myelin/client/v1/consent?${value}=1`,
        `/_matrix/client/v3/login/sso/redirect?redirectUrl=${value}`,
        `/_matrix/client/v3/auth/m.login.recaptcha/fallback/web?session=${value}`,
        `/${value}`,
      ]) {
        const { headers, status } = await server.get(target);
        expect(status, target).to.be.within(400, 499);
        expect(headers["content-type"], target).to.match(/^application\/json/);
        expect(headers["x-content-type-options"], target).to.equal("nosniff");
      }
    }
  });
});
