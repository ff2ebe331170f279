import { expect } from "chai";
import { asJson } from "../../src/core/event.ts";
import { inspectEvent } from "../../src/core/inspect-event.ts";
import { mapEvents } from "../../src/domain/rooms/event-store.ts";
import type { Log } from "../../src/edges.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { endpoints } from "../../src/http/endpoints.ts";
import { auditHead, readAudit } from "../support/audit.ts";
import { quiet } from "../support/database.ts";
import { useServer } from "../support/server.ts";
import type { Answer, TestClient } from "../support/server.ts";
import { changedTables, fingerprintOf } from "./hostile/fingerprint.ts";
import {
  hostileRequests,
  looseOnes,
  strictOnes,
} from "./hostile/hostile-requests.ts";
import type { HostileRequest } from "./hostile/hostile-requests.ts";
import { judge } from "./hostile/judge.ts";
import {
  askerOf,
  setOthers,
  setStage,
  SHARED_SECRET,
  validRequest,
} from "./hostile/stage.ts";
import type { Others, Stage, ValidRequest } from "./hostile/stage.ts";
import { nameOf } from "./requests.ts";

const TEXT_MEETINGS = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";

/** Where there is nothing to be found yet, or another status than 200 says that it was. */
const OTHERWISE: Readonly<Record<string, number>> = {
  [`POST ${TEXT_MEETINGS}`]: 201,
  [`PUT ${TEXT_MEETINGS}/:rendezvousId`]: 202,
  [`DELETE ${TEXT_MEETINGS}/:rendezvousId`]: 204,
  "GET /_matrix/client/v1/media/preview_url": 403,
  "GET /_matrix/federation/v1/openid/userinfo": 401,
  "GET /.well-known/matrix/support": 404,
  "GET /.well-known/matrix/server": 404,
  "GET /_myelin/client/v1/unsubscribe": 404,
  "POST /_myelin/client/v1/unsubscribe": 404,
  "POST /_synapse/admin/v2/users/:userId/devices": 201,
  // There is no federation yet.
  "GET /_synapse/admin/v1/federation/destinations/:destination": 404,
  "GET /_synapse/admin/v1/federation/destinations/:destination/rooms": 404,
  "POST /_synapse/admin/v1/federation/destinations/:destination/reset_connection": 404,
  "GET /_myelin/admin/v1/federation/destinations/:destination/rooms": 404,
  "GET /_myelin/admin/v1/retention/policies/:policyId": 404,
  "POST /_myelin/admin/v1/retention/policies/:policyId/dry-run": 404,
  "POST /_myelin/admin/v1/retention/policies/:policyId/activate": 404,
  "GET /_myelin/admin/v1/retention/certificates/:certificateId": 404,
  "GET /_myelin/admin/v1/holds/:holdId": 404,
  "GET /_myelin/admin/v1/holds/:holdId/data": 404,
  "GET /_myelin/admin/v1/holds/:holdId/events": 404,
  "POST /_myelin/admin/v1/holds/:holdId/release": 404,
  "POST /_myelin/admin/v1/users/import": 400,
  "GET /_myelin/admin/v1/users/import/:jobId": 404,
  "POST /_myelin/admin/v1/users/import/:jobId/groups": 404,
  "GET /_myelin/admin/v1/campaigns/:campaignId": 404,
  "GET /_myelin/admin/v1/campaigns/:campaignId/members": 404,
  "POST /_myelin/admin/v1/campaigns/:campaignId/cancel": 404,
  "GET /_myelin/admin/v1/incidents/:incidentId": 404,
  "PUT /_myelin/admin/v1/incidents/:incidentId": 404,
  "POST /_myelin/admin/v1/incidents/:incidentId/close": 404,
  "GET /_myelin/admin/v1/incidents/:incidentId/blast-radius": 404,
  "POST /_myelin/admin/v1/incidents/:incidentId/end-sessions": 404,
  "DELETE /_myelin/client/v1/privacy/requests/:requestId": 404,
  "GET /_myelin/client/v1/consent": 404,
  "POST /_myelin/client/v1/consent": 404,
  "POST /_myelin/client/v1/privacy/consents": 404,
  "DELETE /_myelin/client/v1/privacy/consents": 404,
  "DELETE /_myelin/admin/v1/users/:userId/erasure": 404,
  "GET /_myelin/admin/v1/users/:userId/erasure/certificate": 404,
  "GET /_myelin/admin/v1/dsr/:requestId": 404,
  "PUT /_myelin/admin/v1/dsr/:requestId": 404,
};

/** After these nobody is left who could ask again. */
const ENDS_SESSION = [
  "POST /_matrix/client/v3/logout",
  "POST /_matrix/client/v3/logout/all",
];

/**
 * Written also for who is refused: a challenge that was begun, a nonce that is spent, the
 * record of it, and the key that seals who it was.
 */
const RECORDS_OF_REFUSALS = [
  ...["uia_sessions", "registration_nonces"],
  ...["audit_log", "keys"],
];

const AT_ONCE = 16;

describe("hostile requests of every operation", () => {
  const faults: string[] = [];
  const log: Log = {
    ...quiet,
    error: (details, message) => {
      faults.push(`${message} ${JSON.stringify(details)}`);
    },
  };
  const server = useServer(
    {
      "registration.shared_secret": SHARED_SECRET,
      "login_tokens.enabled": true,
      "media.legacy_downloads": "on",
      // Its users hold all roles, and would wait for each other.
      "approvals.required": [],
    },
    log,
  );
  let others: Others;
  let reader: Stage;

  before(async () => {
    others = await setOthers(server);
    reader = await setStage(server, others);
  });

  afterEach("nothing was the server's fault", () => {
    expect(faults.splice(0)).to.deep.equal([]);
  });

  const stageFor = async ({ method }: Endpoint): Promise<Stage> =>
    method === "get" ? reader : setStage(server, others);

  const print = () => fingerprintOf(server.database.sql, RECORDS_OF_REFUSALS);

  const recordsSince = async (head: number) =>
    (await readAudit(server, head)).map(({ action, result }) => [
      action,
      result,
    ]);

  /** Asks all of them, some at a time. */
  async function askAll(
    client: TestClient,
    requests: readonly HostileRequest[],
  ): Promise<Answer[]> {
    const answers: Answer[] = [];
    let next = 0;
    const work = async () => {
      for (let i = next++; i < requests.length; i = next++) {
        const { method, target, body, headers } = requests[i]!;
        answers[i] = await client.ask(method, target, body, { headers });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return answers;
  }

  const judgeAll = (
    requests: readonly HostileRequest[],
    answers: readonly Answer[],
  ): string[] =>
    requests.flatMap(({ label, expectation }, i) => {
      const fault = judge(expectation, answers[i]!);
      return fault === undefined
        ? []
        : [`${label}: ${fault} ${answers[i]!.text.slice(0, 200)}`];
    });

  /** What is asked must be refused, and nothing be written for it. */
  async function refuseAll(
    client: TestClient,
    requests: readonly HostileRequest[],
  ): Promise<void> {
    const before = await print();
    const answers = await askAll(client, requests);
    expect(judgeAll(requests, answers)).to.deep.equal([]);
    expect(changedTables(before, await print())).to.deep.equal([]);
  }

  for (const endpoint of endpoints) {
    const name = nameOf(endpoint);
    it(`rows 38 to 49: ${name} accepts a valid request`, async () => {
      const stage = await stageFor(endpoint);
      const {
        method,
        target,
        body,
        headers = {},
      } = validRequest(endpoint, stage);
      const asker = askerOf(endpoint, stage);
      const head = await auditHead(server);
      const answer = await asker.ask(method, target, body, { headers });
      const accepted = OTHERWISE[name] ?? 200;
      expect(answer.status, answer.text).to.equal(accepted);
      if (endpoint.permission !== undefined)
        // G1: what was done has one record of it, and no other.
        expect(await recordsSince(head)).to.deep.equal([
          [endpoint.permission, accepted < 300 ? "allowed" : "failed"],
        ]);
    }).timeout(60_000);

    it(`rows 38 to 49: ${name} answers each fault with an error, and writes nothing`, async () => {
      const stage = await stageFor(endpoint);
      const valid = withoutPassword(validRequest(endpoint, stage));
      const requests = [...hostileRequests(endpoint, valid)];
      const asker = askerOf(endpoint, stage);
      await refuseAll(asker, strictOnes(requests));
      const loose = looseOnes(requests);
      if (ENDS_SESSION.includes(name)) return askAnew(loose);
      const answers = await askAll(asker, loose);
      expect(judgeAll(loose, answers)).to.deep.equal([]);
      await refuseAgain(
        asker,
        loose.filter((_, i) => answers[i]!.status >= 400),
      );
    }).timeout(120_000);
  }

  it("row 46: every event that came of it has the bytes that its id and its hash are of", async () => {
    const fresh = await server.startProcess();
    const nids = await server.database.sql<{ nid: number }[]>`
      select nid from events where redacted_by is null`;
    const events = await mapEvents(
      fresh.edges,
      nids.map(({ nid }) => nid),
    );
    expect(events.size).to.be.above(200);
    for (const { eventId, pdu, room } of events.values()) {
      const event = inspectEvent(room.rules, asJson(pdu));
      if ("invalid" in event) throw new Error(event.invalid);
      expect(event.eventId).to.equal(eventId);
      expect(event.isRedactedCopy, eventId).to.equal(false);
    }
  });

  /** Each by a user of its own. */
  async function askAnew(requests: readonly HostileRequest[]): Promise<void> {
    for (const request of requests) {
      const { user } = await setStage(server, others);
      const answers = await askAll(user, [request]);
      expect(judgeAll([request], answers)).to.deep.equal([]);
    }
  }

  /** What was refused writes nothing; what others made acceptable meanwhile is left out. */
  async function refuseAgain(
    client: TestClient,
    requests: readonly HostileRequest[],
  ): Promise<void> {
    for (let left = requests, round = 0; left.length > 0; round += 1) {
      const before = await print();
      const answers = await askAll(client, left);
      const refused = left.filter((_, i) => answers[i]!.status >= 400);
      if (refused.length === left.length) {
        expect(changedTables(before, await print())).to.deep.equal([]);
        return;
      }
      expect(round, "it does not settle").to.be.below(5);
      left = refused;
    }
  }
});

/** Hashing passwords would be all the time that the faults of other members take. */
function withoutPassword(valid: ValidRequest): ValidRequest {
  const { auth, ...others } = valid.body ?? {};
  if (auth === undefined || !valid.body) return valid;
  const begun = { type: "m.login.password", session: "s" };
  return { ...valid, body: { ...others, auth: begun } };
}
