import type { Account } from "./account.ts";
import type { Question } from "./http.ts";

const PATH =
  "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0";

/** How many rooms a first paint shows. */
export const SHOWN = 20;

/** What Element X asks first on a connection. */
export const firstPaint = (account: Account, connection: string): Question => ({
  method: "POST",
  path: PATH,
  token: account.token,
  body: {
    conn_id: connection,
    lists: {
      all: {
        ranges: [[0, SHOWN - 1]],
        timeline_limit: 1,
        required_state: [
          ["m.room.name", ""],
          ["m.room.avatar", ""],
          ["m.room.encryption", ""],
          ["m.room.member", "$LAZY"],
          ["m.room.member", "$ME"],
        ],
      },
    },
  },
});
