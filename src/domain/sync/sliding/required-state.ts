import { escapeText } from "../../../storage/json-text.ts";

/** A place in a room's state as it is stored, JSON-escaped. */
export type Place = readonly [type: string, stateKey: string];

const ANY = "*";
const MEMBER = "m.room.member";
const ME = "$ME";
const LAZY = "$LAZY";

/** The most entries that what was told of a room is kept as. */
const MOST_ENTRIES = 512;

/** Which state of a room a client asks for: types and state keys, each of which may be any. */
export class RequiredState {
  /** Members of the timeline too, as they are needed. */
  readonly isLazy: boolean;
  /** Sorted and without those that another one covers, so that equal ones have equal texts. */
  readonly entries: readonly Place[];
  readonly #byType = new Map<string, Set<string>>();
  #text: string | undefined;

  constructor(isLazy: boolean, entries: readonly Place[]) {
    this.isLazy = isLazy;
    for (const [type, stateKey] of entries) {
      const keys = this.#byType.get(type);
      if (keys) keys.add(stateKey);
      else this.#byType.set(type, new Set([stateKey]));
    }
    this.entries = [...this.#byType]
      .flatMap(([type, keys]) => [...keys].map((key): Place => [type, key]))
      .filter((entry) => !this.#isCovered(entry))
      .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  }

  /** As a client sends it: `$ME` stands for the user, `$LAZY` for the members of the timeline. */
  static parse(
    pairs: readonly (readonly [string, string])[],
    userId: string,
  ): RequiredState {
    const isLazy = pairs.some(
      ([type, stateKey]) => type === MEMBER && stateKey === LAZY,
    );
    const entries = pairs
      .filter(([type, stateKey]) => type !== MEMBER || stateKey !== LAZY)
      .map(([type, stateKey]): Place => [
        escapeText(type),
        escapeText(stateKey === ME ? userId : stateKey),
      ]);
    return new RequiredState(isLazy, entries);
  }

  static read(text: string): RequiredState {
    const [isLazy, entries] = JSON.parse(text) as [0 | 1, Place[]];
    return new RequiredState(isLazy === 1, entries);
  }

  get text(): string {
    return (this.#text ??= JSON.stringify([this.isLazy ? 1 : 0, this.entries]));
  }

  matches(type: string, stateKey: string): boolean {
    return (
      holds(this.#byType.get(type), stateKey) ||
      holds(this.#byType.get(ANY), stateKey)
    );
  }

  /** Everything that either asks for. */
  with(other: RequiredState): RequiredState {
    if (other.text === this.text) return this;
    const isLazy = this.isLazy || other.isLazy;
    return new RequiredState(isLazy, [...this.entries, ...other.entries]);
  }

  /** What this asks for beyond the other one. */
  beyond(other: RequiredState): readonly Place[] {
    if (other.text === this.text) return [];
    return this.entries.filter(
      ([type, stateKey]) => !other.matches(type, stateKey),
    );
  }

  /**
   * What a client knows of a room's state that was told the one, and now is told the
   * other: both, unless `changed` tells that something of the first one moved on.
   */
  static known(
    told: RequiredState,
    now: RequiredState,
    changed: Iterable<Place>,
  ): RequiredState {
    const both = told.with(now);
    if (both.entries.length > MOST_ENTRIES) return now;
    for (const [type, stateKey] of changed) {
      if (told.matches(type, stateKey) && !now.matches(type, stateKey))
        return now;
    }
    // Being told members lazily is a way to ask, nothing that is known.
    return new RequiredState(now.isLazy, both.entries);
  }

  #isCovered([type, stateKey]: Place): boolean {
    const ofType = this.#byType.get(type)!;
    if (stateKey !== ANY && ofType.has(ANY)) return true;
    return type !== ANY && holds(this.#byType.get(ANY), stateKey);
  }
}

const holds = (
  keys: ReadonlySet<string> | undefined,
  stateKey: string,
): boolean => keys !== undefined && (keys.has(ANY) || keys.has(stateKey));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What a client wants of each room. */
export interface RoomConfig {
  timelineLimit: number;
  required: RequiredState;
}

/** What satisfies both. */
export const mergeConfigs = (a: RoomConfig, b: RoomConfig): RoomConfig => ({
  timelineLimit: Math.max(a.timelineLimit, b.timelineLimit),
  required: a.required.with(b.required),
});
