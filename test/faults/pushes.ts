import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "./client.ts";
import { signal } from "./processes.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { seededChance, type Chance } from "./random.ts";
import { FaultServer } from "./server.ts";

/** What is acknowledged is pushed, whoever dies on the way. */
export const pushes: ProofCase = {
  name: "pushes",
  unit: "kill -9 of what pushes, or all of it, beside messages to 4 people with pushers",
  fullUnits: 100,
  unitsPerRun: 20,
  run: runPushes,
};

const READERS = 4;
const MESSAGES_A_KILL = 25;
/** What a gateway takes to answer, at most: so some of it is under way whenever a kill comes. */
const LONGEST_ANSWER_MS = 40;
/** A kill comes so long after a send has begun, at most. */
const LONGEST_AIM_MS = 60;
const LONGEST_MS = 90_000;
const PATH = "/_matrix/push/v1/notify";

async function runPushes({ seed, units }: RunOptions): Promise<Outcome> {
  const chance = seededChance(seed);
  const server = new FaultServer({
    environment: { MYELIN_EGRESS_ALLOW: "127.0.0.1" },
  });
  const told = new Map<string, number>();
  const gateway = await startGateway(
    seededChance(-seed),
    (pushkey, eventId) => {
      const key = `${pushkey} ${eventId}`;
      told.set(key, (told.get(key) ?? 0) + 1);
    },
  );
  const clients = Array.from({ length: READERS + 1 }, () => new Client(server));
  const [sender, ...readers] = clients as [Client, ...Client[]];
  try {
    await server.start();
    for (const [i, client] of clients.entries())
      await client.register(`pushed${i}`);
    const { room_id: roomId } = await sender.must("POST", "/createRoom", {
      preset: "public_chat",
    });
    const room = `/rooms/${encodeURIComponent(String(roomId))}`;
    const { port } = gateway.address() as AddressInfo;
    for (const reader of readers) {
      await reader.must("POST", `${room}/join`, {});
      await reader.must("POST", "/pushers/set", {
        ...{ kind: "http", app_id: "app", pushkey: reader.userId, lang: "en" },
        ...{ app_display_name: "App", device_display_name: "Phone" },
        data: {
          url: `http://127.0.0.1:${port}${PATH}`,
          format: "event_id_only",
        },
      });
    }
    const sent: string[] = [];
    const say = async (kill: number, from: number, to: number) => {
      for (let i = from; i < to; i += 1) {
        const target = `${room}/send/m.room.message/k${kill}-${i}`;
        const body = { msgtype: "m.text", body: `message ${i}` };
        const answer = await sender.must("PUT", target, body);
        sent.push(String(answer["event_id"]));
      }
    };
    for (let kill = 0; kill < units; kill += 1) {
      const at = chance.below(MESSAGES_A_KILL);
      await say(kill, 0, at);
      const going = say(kill, at, MESSAGES_A_KILL);
      await Promise.all([strike(server, chance), going]);
    }
    const wanted = readers.flatMap(({ userId }) =>
      sent.map((eventId) => `${userId} ${eventId}`),
    );
    const begun = performance.now();
    const isMissing = (key: string) => !told.has(key);
    while (wanted.some(isMissing) && performance.now() - begun < LONGEST_MS)
      await pause(100);
    const owed = new Set(wanted);
    const strange = [...told.keys()].filter((key) => !owed.has(key));
    const again = [...told.values()].filter((times) => times > 1).length;
    return {
      counts: {
        kills: units,
        "notifications told": told.size,
        "of them more than once": again,
        "ms until all were told": Math.round(performance.now() - begun),
      },
      claims: {
        "everything acknowledged was pushed": tell(wanted.filter(isMissing)),
        "nothing else was pushed": tell(strange),
      },
    };
  } finally {
    for (const client of clients) client.close();
    await server.remove();
    gateway.closeAllConnections();
    gateway.close();
  }
}

/** Kills one process that serves, or all, beside a send; done when they serve again. */
async function strike(server: FaultServer, chance: Chance): Promise<void> {
  const isOne = chance.below(2) === 0;
  await pause(chance.below(LONGEST_AIM_MS));
  const pids = server.workerPids();
  if (isOne && pids.length > 0) signal(chance.pick(pids), "SIGKILL");
  else {
    await server.killProcesses();
    await server.launch();
  }
  await server.ready();
}

interface Notified {
  notification: { event_id?: string; devices: { pushkey: string }[] };
}

/** Hears of each event by pushkey, and takes all, each after a while. */
async function startGateway(
  chance: Chance,
  hear: (pushkey: string, eventId: string) => void,
): Promise<Server> {
  const gateway = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => undefined);
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { notification } = JSON.parse(text) as Notified;
      const { event_id: eventId, devices } = notification;
      if (eventId !== undefined)
        for (const { pushkey } of devices) hear(pushkey, eventId);
      response.setHeader("content-type", "application/json");
      const answer = () => response.end('{"rejected":[]}');
      setTimeout(answer, chance.below(LONGEST_ANSWER_MS));
    });
  });
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  return gateway;
}
