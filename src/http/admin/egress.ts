import { readEgress } from "../../domain/admin/egress.ts";
import { endpoint } from "../endpoint.ts";
import { native } from "./tools.ts";

/** Every outside party that gets data, with counts and what they are of. */
const getEgress = endpoint({
  method: "get",
  path: native("/egress"),
  auth: "admin",
  permission: "settings.read",
  rateLimit: "admin",
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
