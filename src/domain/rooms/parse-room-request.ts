import type { Settings } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isRoomAlias, isUserId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { findRoomRules, type RoomRules } from "../../core/room-version.ts";
import { addedAliases, assertPointing } from "./canonical-alias.ts";
import {
  assertPowerLevels,
  assertStateContent,
} from "./check-state-content.ts";
import type { Preset, RoomRequest } from "./creation.ts";
import { thirdPartyDenied } from "./third-party-invite.ts";

/** The body of `POST /createRoom`, its types checked. */
export interface CreateRoomBody {
  visibility?: "public" | "private";
  room_alias_name?: string;
  name?: string;
  topic?: string;
  invite?: string[];
  invite_3pid?: JsonObject[];
  room_version?: string;
  creation_content?: JsonObject;
  initial_state?: { type: string; state_key?: string; content: JsonObject }[];
  preset?: Preset;
  is_direct?: boolean;
  power_level_content_override?: JsonObject;
}

type Needs = Pick<Settings, "serverName" | "defaultRoomVersion">;

export function parseRoomRequest(
  settings: Needs,
  body: CreateRoomBody,
): { request: RoomRequest; isPublished: boolean } {
  const version = body.room_version ?? settings.defaultRoomVersion;
  const rules = findRoomRules(version);
  if (!rules) {
    throw new MatrixError(
      "M_UNSUPPORTED_ROOM_VERSION",
      "This server does not know that room version.",
    );
  }
  if (body.invite_3pid?.length) throw thirdPartyDenied();
  const isPublished = body.visibility === "public";
  const alias = aliasOf(settings, body.room_alias_name);
  const creationContent = body.creation_content ?? {};
  const powerLevelOverride = body.power_level_content_override ?? {};
  assertPowerLevels(rules, powerLevelOverride);
  assertUserIds(
    creationContent["additional_creators"],
    "creation_content.additional_creators",
  );
  const invites = [...new Set(body.invite ?? [])];
  assertUserIds(invites, "invite");
  const request: RoomRequest = {
    preset: body.preset ?? (isPublished ? "public_chat" : "private_chat"),
    rules,
    creationContent,
    powerLevelOverride,
    initialState: initialStateOf(
      settings,
      rules,
      body.initial_state ?? [],
      alias,
    ),
    invites,
    isDirect: body.is_direct ?? false,
    ...(alias === undefined ? {} : { alias }),
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.topic === undefined ? {} : { topic: body.topic }),
  };
  return { request, isPublished };
}

function initialStateOf(
  settings: Needs,
  rules: RoomRules,
  list: NonNullable<CreateRoomBody["initial_state"]>,
  ownAlias: string | undefined,
): RoomRequest["initialState"] {
  return list.map(({ type, state_key: stateKey = "", content }) => {
    if (type === "m.room.member") {
      throw new MatrixError(
        "M_INVALID_PARAM",
        "Members come into a room by invites, not by initial_state.",
      );
    }
    assertStateContent(settings, rules, type, content);
    if (type === "m.room.canonical_alias" && stateKey === "") {
      const pointing = ownAlias === undefined ? [] : [ownAlias];
      assertPointing(addedAliases(content), new Set(pointing));
    }
    return { type, stateKey, content };
  });
}

function aliasOf(
  { serverName }: Needs,
  name: string | undefined,
): string | undefined {
  if (name === undefined) return undefined;
  const alias = `#${name}:${serverName}`;
  if (name === "" || name.includes(":") || !isRoomAlias(alias)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "room_alias_name must be the part of an alias between # and the colon.",
    );
  }
  return alias;
}

export function assertUserIds(value: unknown, where: string): void {
  if (value === undefined) return;
  const isList =
    Array.isArray(value) &&
    value.every((id) => typeof id === "string" && isUserId(id));
  if (!isList) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      `"${where}" must be a list of user ids.`,
    );
  }
}
