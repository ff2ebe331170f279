/** What people are asked to agree to, in one language. */
export interface PolicyDocument {
  /** Of the policy, such as `privacy_policy`. */
  id: string;
  version: string;
  locale: string;
  url: string;
  name: string;
}

const FORM =
  /^([a-z][a-z0-9_-]{0,62}) ([A-Za-z0-9._-]{1,64}) ([a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?) (https?:\/\/\S{1,2000}) (\S.{0,199})$/;

/** `ID VERSION LOCALE URL NAME`; undefined for anything else. */
export function parsePolicyDocument(text: string): PolicyDocument | undefined {
  const [, id, version, locale, url, name] = FORM.exec(text) ?? [];
  if (!id || !version || !locale || !url || !name) return undefined;
  return URL.canParse(url) ? { id, version, locale, url, name } : undefined;
}
