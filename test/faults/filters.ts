import { COLLECTING, collect } from "../../bench/measure/collect.ts";
import { readResidentBytes } from "../../bench/measure/proc.ts";
import { Client } from "./client.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { FaultServer } from "./server.ts";

/** Row 64 of the faults and abuse: whatever filters are asked for, memory stays what it was. */
export const filters: ProofCase = {
  name: "filters",
  unit: "round of 100 filters stored by 10 people, and reads by each",
  fullUnits: 150,
  unitsPerRun: 150,
  run: runFilters,
};

const PEOPLE = 10;
const FILTERS = 10;
const EVENTS = 50;
/** Between the middle and the last third of all rounds. */
const MOST_GROWTH_MB = 8;
/** From the first round to the last, of few: caches fill. */
const MOST_GROWTH_OF_FEW_MB = 60;
const LISTS = [
  ...["types", "not_types", "senders", "not_senders", "rooms", "not_rooms"],
];
const SIGILS: Readonly<Record<string, string>> = {
  senders: "@",
  not_senders: "@",
  rooms: "!",
  not_rooms: "!",
};

async function runFilters({ units, isFull }: RunOptions): Promise<Outcome> {
  const server = new FaultServer({
    processes: 1,
    environment: { NODE_OPTIONS: COLLECTING.join(" ") },
  });
  const people = Array.from({ length: PEOPLE }, () => new Client(server));
  const faults: string[] = [];
  const megabytes: number[] = [];
  try {
    await server.start();
    for (const [i, person] of people.entries()) {
      await person.register(`person${i}`);
    }
    const rooms = await Promise.all(people.map(fillRoom));
    for (let round = 0; round < units; round += 1) {
      await Promise.all(
        people.map((person, i) => ask(person, rooms[i]!, round, faults)),
      );
      await collect([server.primaryPid]);
      megabytes.push(readResidentBytes(server.primaryPid) / 2 ** 20);
    }
    const third = Math.floor(units / 3);
    const middle = isFull
      ? meanOf(megabytes.slice(third, -third))
      : megabytes[0]!;
    const last = isFull ? meanOf(megabytes.slice(-third)) : megabytes.at(-1)!;
    const most = isFull ? MOST_GROWTH_MB : MOST_GROWTH_OF_FEW_MB;
    return {
      counts: {
        rounds: units,
        "MB after the first round": Math.round(megabytes[0]!),
        "MB in the middle": Math.round(middle),
        "MB at the end": Math.round(last),
      },
      claims: {
        "every filter was answered or refused": faults,
        "memory is flat":
          last - middle <= most
            ? []
            : [`${megabytes.map(Math.round).join(", ")} MB`],
      },
    };
  } finally {
    for (const person of people) person.close();
    await server.remove();
  }
}

const meanOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

async function fillRoom(person: Client): Promise<string> {
  const { room_id } = await person.must("POST", "/createRoom", {});
  const room = encodeURIComponent(String(room_id));
  for (let i = 0; i < EVENTS; i += 1) {
    const place = `/rooms/${room}/send/m.room.message/${i}`;
    await person.must("PUT", place, { msgtype: "m.text", body: `${i}` });
  }
  return room;
}

/** Stores some of 60 KiB, and reads by each of them, and by some that are refused. */
async function ask(
  person: Client,
  room: string,
  round: number,
  faults: string[],
): Promise<void> {
  const user = encodeURIComponent(person.userId);
  const expect = async (
    wanted: readonly number[],
    method: string,
    place: string,
    body?: object,
  ) => {
    const answer = await person.ask(method, place, body);
    if (!wanted.includes(answer.status))
      faults.push(`${method} ${place.slice(0, 80)}: ${answer.status}`);
    return answer;
  };
  const store = `/user/${user}/filter`;
  for (let i = 0; i < FILTERS; i += 1) {
    const timeline = largeFilter(`${round}.${i}`);
    const state = largeFilter(`${i}.${round}`);
    const { body } = await expect([200], "POST", store, {
      room: { timeline, state },
    });
    await expect([200], "GET", `/sync?filter=${String(body["filter_id"])}`);
    const inline = encodeURIComponent(
      JSON.stringify({ types: [`*${"a*".repeat(500)}${round}.${i}`] }),
    );
    const page = `/rooms/${room}/messages?dir=b&filter=${inline}`;
    await expect([200], "GET", page);
  }
  await expect([413], "POST", store, { room: { rooms: ["!".repeat(70_000)] } });
  await expect([400], "POST", store, { room: { rooms: [{}, round] } });
  const many = Array.from({ length: 10_000 }, (_, i) => `m.${i}`);
  await expect([400], "POST", store, { room: { timeline: { types: many } } });
}

/** Some 28 KiB in many short strings, which take the most memory. */
const largeFilter = (salt: string): object =>
  Object.fromEntries(
    LISTS.map((name) => [
      name,
      Array.from({ length: 400 }, (_, i) => `${SIGILS[name] ?? ""}${salt}${i}`),
    ]),
  );
