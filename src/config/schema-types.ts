import type { Secret } from "../util/secret.ts";

interface Described {
  readonly description: string;
}

/** One setting: a leaf of the configuration's schema. */
export interface Leaf extends Described {
  readonly type: "string" | "integer" | "number" | "boolean" | "array";
  readonly default?: string | number | boolean | readonly string[];
  /** Shown in the sample where there is no default. */
  readonly example?: string | number | readonly string[];
  readonly enum?: readonly string[];
  /** A word that stands in place of a number. */
  readonly orWord?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly format?: string;
  readonly items?: { readonly type: "string"; readonly format?: string };
  /** The value is never shown. */
  readonly secret?: true;
}

export interface Section extends Described {
  readonly type: "object";
  readonly properties: Readonly<Record<string, Leaf | Section>>;
  /** A setting that makes no sense without others: its name, and theirs. */
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>;
}

type CamelCase<Name> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type Basic<L> = L extends { secret: true }
  ? Secret
  : L extends { enum: readonly (infer Choice)[] }
    ? Choice
    : L extends { type: "boolean" }
      ? boolean
      : L extends { type: "integer" | "number" }
        ? number
        : L extends { type: "array" }
          ? readonly string[]
          : string;

type LeafValue<L> =
  | Basic<L>
  | (L extends { orWord: infer Word } ? Word : never)
  | (L extends { default: unknown } ? never : undefined);

/** The type of a checked configuration, made from its schema. */
export type FromSchema<S> = S extends { properties: infer Properties }
  ? {
      readonly [Name in keyof Properties as CamelCase<Name>]: FromSchema<
        Properties[Name]
      >;
    }
  : LeafValue<S>;
