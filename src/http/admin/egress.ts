import { readEgress } from "../../domain/admin/egress.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  COUNT,
  object,
  orNull,
  TEXT,
} from "../json-schema.ts";
import { native } from "./tools.ts";

/** Every outside party that gets data, with counts and what they are of. */
const getEgress = endpoint({
  method: "get",
  path: native("/egress"),
  auth: "admin",
  permission: "settings.read",
  rateLimit: "admin",
  doc: {
    id: "readEgress",
    says: "Lists who outside gets data of persons, and how much of what.",
    answers: object({
      parties: arrayOf(
        object({
          ...{ kind: TEXT, host: orNull(TEXT), data_classes: arrayOf(TEXT) },
          ...{ count: orNull(COUNT), counted: orNull(TEXT) },
        }),
      ),
      cut: BOOLEAN,
    }),
  },
  async handle(edges) {
    const { parties, isCut } = await readEgress(edges);
    return {
      parties: parties.map(({ kind, host, dataClasses, count, of }) => ({
        ...{ kind, host, data_classes: dataClasses, count, counted: of },
      })),
      cut: isCut,
    };
  },
});

export const egressEndpoints = [getEgress];
