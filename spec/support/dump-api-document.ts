import { writeFile } from "node:fs/promises";
import { yamlOf } from "../../src/core/yaml.ts";
import { API_DOCUMENT, apiDocument } from "../http/admin-document.ts";

await writeFile(API_DOCUMENT, yamlOf(apiDocument()));
