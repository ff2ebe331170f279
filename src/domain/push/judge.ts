import type { PushContext } from "../../core/push/conditions.ts";
import { defaultPushRules } from "../../core/push/default-rules.ts";
import {
  evaluatePushRules,
  type PushOutcome,
} from "../../core/push/evaluate.ts";
import type { PushRuleset } from "../../core/push/ruleset.ts";
import type { BuiltEvent } from "../rooms/proposal.ts";
import type { RoomIdentity } from "../rooms/room-identity.ts";

/** What the default rules say of an event to whoever it does not mean in particular. */
export interface Verdict extends PushOutcome {
  /** No rule that is more important than keywords has matched. */
  isOpenToContent: boolean;
}

type Context = Omit<PushContext, "userId">;

const REACHED = { set_tweak: "reached" };

/** The default rules without those that ask who the user is. */
const forAll: PushRuleset = (() => {
  const rules = defaultPushRules("");
  const personal = [".m.rule.is_user_mention", ".m.rule.invite_for_me"];
  return {
    ...rules,
    override: rules.override.filter(
      ({ rule_id }) => !personal.includes(rule_id),
    ),
    content: [],
  };
})();

/** The same, ending where keywords would be looked at. */
const upToContent: PushRuleset = {
  ...forAll,
  postcontent: [],
  room: [],
  sender: [],
  underride: [
    {
      rule_id: "reached",
      default: false,
      enabled: true,
      conditions: [],
      actions: [REACHED],
    },
  ],
};

export function judgeForAll(
  room: RoomIdentity,
  event: BuiltEvent,
  context: Context,
): Verdict {
  return {
    ...judge(forAll, room, event, context, ""),
    // Asked only where somebody in the room has keywords.
    get isOpenToContent() {
      const { actions } = judge(upToContent, room, event, context, "");
      return actions.includes(REACHED);
    },
  };
}

export const judgeForMentioned = (
  room: RoomIdentity,
  event: BuiltEvent,
  context: Context,
  userId: string,
): PushOutcome => judge(defaultPushRules(userId), room, event, context, userId);

/** The context is only looked at where a rule asks for it. */
function judge(
  ruleset: PushRuleset,
  { roomId }: RoomIdentity,
  { eventId, pdu }: BuiltEvent,
  context: Context,
  userId: string,
): PushOutcome {
  return evaluatePushRules(
    ruleset,
    { eventId, roomId, pdu },
    {
      userId,
      memberCount: context.memberCount,
      get senderPower() {
        return context.senderPower;
      },
      get notificationLevels() {
        return context.notificationLevels;
      },
    },
  );
}
