import { createHash } from "node:crypto";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../../core/json.ts";
import { escapeHtml } from "../../../util/html.ts";
import type { ApiDocument, Operation } from "./api-document.ts";
import { idOfSchema, renderSchema, textOf } from "./page-schema.ts";

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
code { font-size: 0.95em; overflow-wrap: anywhere; }
h2 { margin-top: 3rem; }
h3 { margin: 2rem 0 0; }
h4 { margin: 1rem 0 0; }
ul { margin: 0.25rem 0; padding-left: 1.25rem; }
section section { border-top: 1px solid; }
.method { text-transform: uppercase; font-weight: 700; }
.facts { opacity: 0.8; }
`;

const hash = createHash("sha256").update(STYLE).digest("base64");

export const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
};

interface Placed {
  path: string;
  method: string;
  operation: Operation;
}

/** The document for people: all on one page, without a script. */
export function renderPage(document: ApiDocument): string {
  const { info, tags, paths, components } = document;
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      return { path, method, operation };
    }),
  );
  const topics = tags.map(({ name }) => ({
    name,
    placed: all.filter(({ operation }) => operation.tags.includes(name)),
  }));
  const title = escapeHtml(info.title);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<p>${escapeHtml(info.description)} A client can be made of <a href="openapi.yaml">openapi.yaml</a>.</p>
<nav>
<ul>
${topics.map(renderContents).join("\n")}
<li><a href="#refusals">Refusals</a>, <a href="#objects">objects</a></li>
</ul>
</nav>
${topics.map(({ name, placed }) => renderTopic(name, placed, components)).join("\n")}
<section id="refusals">
<h2>Refusals</h2>
${renderRefusals(components.responses)}
</section>
<section id="objects">
<h2>Objects</h2>
${Object.entries(components.schemas).map(renderObject).join("\n")}
</section>
</html>
`;
}

const renderContents = ({
  name,
  placed,
}: {
  name: string;
  placed: readonly Placed[];
}): string =>
  `<li>${escapeHtml(name)}: ${placed
    .map(({ operation: { operationId: id } }) => {
      return `<a href="#${escapeHtml(id)}">${escapeHtml(id)}</a>`;
    })
    .join(", ")}</li>`;

const renderTopic = (
  name: string,
  placed: readonly Placed[],
  components: ApiDocument["components"],
): string => `<section>
<h2>${escapeHtml(name)}</h2>
${placed.map((each) => renderOperation(each, components)).join("\n")}
</section>`;

function renderOperation(
  { path, method, operation }: Placed,
  { parameters }: ApiDocument["components"],
): string {
  const { operationId, summary, description } = operation;
  const permission = operation["x-myelin-permission"];
  const taken = operation.parameters.map((each) => follow(each, parameters));
  const body = schemaIn(operation["requestBody"]);
  return `<section id="${escapeHtml(operationId)}">
<h3>${escapeHtml(summary)}</h3>
<p><code class="method">${method}</code> <code>${escapeHtml(path)}</code></p>
<p>${typeof permission === "string" ? `Permission: <code>${escapeHtml(permission)}</code>.` : "No permission."} ${textOf(description)}</p>
${taken.length > 0 ? `<h4>Parameters</h4>\n<ul>${taken.map(renderParameter).join("")}</ul>` : ""}
${body ? `<h4>Body</h4>\n${renderSchema(body)}` : ""}
<h4>Answers</h4>
<ul>${Object.entries(operation.responses).map(renderAnswer).join("")}</ul>
</section>`;
}

/** What a reference leads to. */
function follow(value: JsonObject, parameters: JsonObject): JsonObject {
  const { $ref } = value;
  if (typeof $ref !== "string") return value;
  const found = parameters[$ref.slice($ref.lastIndexOf("/") + 1)];
  return isJsonObject(found) ? found : {};
}

function renderParameter(parameter: JsonObject): string {
  const { name, in: place, required, description, schema } = parameter;
  const type = isJsonObject(schema) ? renderSchema(schema) : "";
  const facts = `${String(place)}${required === true ? ", required" : ""}`;
  return `<li><code>${textOf(name)}</code> <span class="facts">(${facts})</span> ${textOf(description)} ${type}</li>`;
}

/** The schema of JSON in a body or an answer. */
function schemaIn(value: JsonValue | undefined): JsonObject | undefined {
  const content = isJsonObject(value) ? value["content"] : undefined;
  const json = isJsonObject(content) ? content["application/json"] : undefined;
  const schema = isJsonObject(json) ? json["schema"] : undefined;
  return isJsonObject(schema) ? schema : undefined;
}

function renderAnswer([status, answer]: [string, JsonValue]): string {
  if (!isJsonObject(answer)) return "";
  const { $ref, description, content } = answer;
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    const place = `refusal-${escapeHtml(name)}`;
    return `<li><code>${status}</code> <a href="#${place}">${escapeHtml(name)}</a></li>`;
  }
  const schema = schemaIn(answer);
  const types = isJsonObject(content) ? Object.keys(content) : [];
  const what = schema
    ? renderSchema(schema)
    : types.map((type) => `<code>${escapeHtml(type)}</code>`).join(" or ");
  return `<li><code>${status}</code> ${textOf(description)} ${what}</li>`;
}

const renderRefusals = (responses: JsonObject): string =>
  Object.entries(responses)
    .map(([name, response]) => {
      const schema = schemaIn(response);
      const says = isJsonObject(response) ? response["description"] : "";
      return `<section id="refusal-${escapeHtml(name)}">
<h3>${escapeHtml(name)}</h3>
<p>${textOf(says)}</p>
${schema ? renderSchema(schema) : ""}
</section>`;
    })
    .join("\n");

const renderObject = ([name, schema]: [string, JsonValue]): string =>
  `<section id="${idOfSchema(name)}">
<h3>${escapeHtml(name)}</h3>
${isJsonObject(schema) ? renderSchema(schema) : ""}
</section>`;
