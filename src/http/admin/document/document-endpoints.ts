import { yamlOf } from "../../../core/yaml.ts";
import { endpoint, type Endpoint } from "../../endpoint.ts";
import { reply } from "../../reply.ts";
import { native } from "../tools.ts";
import { describeApi, type ApiDocument } from "./api-document.ts";
import { PAGE_HEADERS, renderPage } from "./page.ts";

/**
 * Without a session, as an exception: what they tell is the same on every server of this
 * version and stands in its source, and a browser that opens the page has no token to send.
 * They are where the admin API is: on the administrators' listener, unless the settings
 * say otherwise.
 * @param list all endpoints, these ones too
 */
export function documentEndpoints(
  list: () => readonly Endpoint[],
): readonly Endpoint[] {
  const described = once(() => describeApi(list()));
  const yaml = once(() => yamlOf(described()));
  const page = once(() => renderPage(described()));

  return [
    endpoint({
      method: "get",
      path: native("/openapi.yaml"),
      auth: "none",
      isPublic: true,
      rateLimit: "other",
      doc: {
        id: "getApiDocument",
        says: "Reads this document.",
        answers: ["application/yaml"],
      },
      async handle() {
        const headers = { "Content-Type": "application/yaml" };
        return reply({ headers, body: yaml() });
      },
    }),
    endpoint({
      method: "get",
      path: native("/openapi.json"),
      auth: "none",
      isPublic: true,
      rateLimit: "other",
      doc: {
        id: "getApiDocumentAsJson",
        says: "Reads this document as JSON.",
        answers: ["application/json"],
      },
      async handle(): Promise<ApiDocument> {
        return described();
      },
    }),
    endpoint({
      method: "get",
      path: native("/docs"),
      auth: "none",
      isPublic: true,
      rateLimit: "other",
      doc: {
        id: "getApiPage",
        says: "Shows this document as a page.",
        answers: ["text/html"],
      },
      async handle() {
        return reply({ headers: PAGE_HEADERS, body: page() });
      },
    }),
  ];
}

/** Made when it is first asked for: most processes never are. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
