import type { AuditDraft } from "./audit-draft.ts";

/** An event on its way into its room's stream. Numbers are taken from `nextNid`. */
export interface EventRow {
  nid: number;
  roomNid: number;
  eventId: string;
  type: string;
  stateKey: string | null;
  sender: string;
  depth: number;
  originServerTs: number;
  receivedTs: number;
  /** The state before it; for accepted state events also the one after. */
  snapshotId: number | null;
  snapshotAfter: number | null;
  replacesNid: number | null;
  status: EventStatus;
  refusal: string | null;
  isCountable: boolean;
  hasUrl: boolean;
  deviceId: string | null;
  txnId: string | null;
  redacts: string | null;
  relType: string | null;
  relatesTo: string | null;
  /** The thread root's event id; null for the main timeline. */
  thread: string | null;
  skeleton: string;
  content: SealedContent | null;
  /** Outliers take no position. */
  isOutlier: boolean;
}

export type EventStatus = 0 | 1 | 2;
export const ACCEPTED = 0;
export const SOFT_FAILED = 1;
export const REJECTED = 2;
/** Its place in the graph is all that is left; nobody is shown it. */
export const PURGED = 3;

/** Sealed bytes and the two keys that open them; key 0 means not sealed. */
export interface SealedContent {
  firstKey: number;
  secondKey: number;
  sealed: Uint8Array;
}

/** Sealed bytes under one key; key 0 means not sealed. */
export interface Sealed {
  keyId: number;
  sealed: Uint8Array;
}

/**
 * What one room takes in a write: compared with the room's state version,
 * then set. A run that lost the comparison is rebuilt by whoever made it.
 */
export interface RoomRun {
  roomNid: number;
  /** Compared; null for a room that this write creates. */
  stateVersion: number | null;
  /** Loses too where the room has an extremity that is not cited: its events shall follow all others. */
  isExclusive?: boolean;
  /** Who writes, where it may be their turn: see `takeTurn`. */
  turn?: string;
  /** All changes of push rules up to here were seen; loses where a member's later one was not. */
  rulesSeen?: number;
  /** Loses too where one of these events is stored already. */
  absent?: readonly string[];
  /** Set where current state changes. */
  next?: { stateVersion: number; snapshotId: number };
  /** Extremities that the events cite, taken away. */
  cited: readonly number[];
  /** Extremities that the events leave. */
  left: readonly number[];
  /** A position up to which all extremities are cited: see `Committed.beside`. */
  seenTo?: number;
}

export interface SnapshotRow {
  snapshotId: number;
  roomNid: number;
  parentId: number | null;
  hops: number;
  size: number;
  added: Uint8Array;
  removed: Uint8Array;
  hash: Uint8Array;
}

/** One change of current state; `at` is the write's position that it takes. */
export interface StateChangeRow {
  at: number;
  roomNid: number;
  type: string;
  stateKey: string;
  oldNid: number | null;
  newNid: number | null;
}

export interface MembershipRow {
  at: number;
  userId: string;
  roomNid: number;
  membership: "join" | "invite" | "leave" | "ban" | "knock";
  sender: string;
  nid: number;
}

/** Rows of the other tables. `at` counts the write's positions from 0. */
export interface WriteRows {
  newRooms: {
    roomNid: number;
    roomId: string;
    roomVersion: string;
    isResident: boolean;
    createdTs: number;
  }[];
  roomPublications: { roomNid: number; isPublished: boolean }[];
  newAliases: {
    alias: string;
    roomNid: number;
    creator: string;
    createdTs: number;
  }[];
  removedAliases: { alias: string }[];
  /** From one room to the other; one that points elsewhere by now stays. */
  movedAliases: { alias: string; fromRoomNid: number; roomNid: number }[];
  strippedStates: ({ userId: string; roomNid: number } & Sealed)[];
  /** Who is invited by these permissions; loses where later ones are not among what was `seen`. */
  inviteGrounds: { userId: string; seen: number }[];
  forgotten: { userId: string; roomNid: number }[];
  /** Outliers that are among the write's events, now with a place in the room. */
  placedOutliers: { nid: number }[];
  /** The target's content row is deleted and its skeleton is all that is left. */
  redactions: { targetNid: number; byNid: number }[];
  /** Media of ours that an event names; those that are not there are left out. */
  mediaReferences: { nid: number; mediaId: string }[];
  notifications: {
    at: number;
    /** "" for everybody whose push rules are the default ones. */
    userId: string;
    roomNid: number;
    nid: number;
    thread: string;
    isHighlight: boolean;
    isCounted: boolean;
  }[];
  receipts: {
    at: number;
    roomNid: number;
    userId: string;
    receiptType: string;
    thread: string;
    eventId: string;
    eventPosition: number;
    receiptTs: number;
  }[];
  /** What a user wants to hear of threads; one that has ended stays known. */
  threadSubscriptions: {
    at: number;
    userId: string;
    roomNid: number;
    thread: string;
    isSubscribed: boolean;
    isAutomatic: boolean;
  }[];
  newUsers: {
    userId: string;
    passwordHash: string | null;
    isGuest: boolean;
    createdTs: number;
  }[];
  /** Absent fields stay as they are. */
  userUpdates: {
    userId: string;
    passwordHash?: string | null;
    isDeactivated?: boolean;
    isLocked?: boolean;
    isEnding?: boolean;
    isSuspended?: boolean;
    isShadowBanned?: boolean;
    userType?: string | null;
    messagesPerSecond?: number | null;
    burstCount?: number | null;
    expiresTs?: number | null;
    keysOpenUntilTs?: number | null;
    /** Who joins after this write sees the user's events redacted. */
    isErased?: true;
  }[];
  /** A use of a registration token; one without uses left loses the write. */
  registrationTokenUses: { token: string; nowTs: number }[];
  devices: ({
    userId: string;
    deviceId: string;
    createdTs: number;
  } & Sealed)[];
  /**
   * Its tokens, keys, one-time keys, to-device messages and dehydrated form go too, and
   * all signatures of it and by it.
   */
  removedDevices: { userId: string; deviceId: string }[];
  newTokens: {
    tokenHash: Uint8Array;
    tokenId: number;
    userId: string;
    deviceId: string;
    expiresTs: number | null;
    createdTs: number;
    refresh: Uint8Array | null;
    /** An administrator who acts in the user's place by it. */
    actedBy?: string;
  }[];
  removedTokens: { tokenId: number }[];
  /** All tokens of the device go, to make room for those of its next session. */
  replacedSessions: { userId: string; deviceId: string }[];
  /** The refresh tokens given out with them stay known. */
  removedAccessTokens: { tokenId: number }[];
  /** No token of the device is good any more; it stays, to log in to again. */
  endedSessions: { userId: string; deviceId: string }[];
  /** Remembered with what replaced them, so that another use betrays a theft. */
  usedRefreshTokens: { tokenHash: Uint8Array; nextHash: Uint8Array }[];
  /** Profile, account data, filters, cross-signing keys and what was kept for them go. */
  clearedUsers: { userId: string }[];
  profileFields: ({
    at: number;
    userId: string;
    name: string;
    /** A medium of ours that the field is; left out where it is not there. */
    mediaId?: string | undefined;
  } & Sealed)[];
  removedProfileFields: { userId: string; name: string }[];
  accountData: {
    at: number;
    userId: string;
    /** 0 for global account data. */
    roomNid: number;
    type: string;
    keyId: number;
    /** Null deletes the content and keeps the row as a change. */
    sealed: Uint8Array | null;
    /** Media of ours that it names. */
    mediaIds?: readonly string[];
  }[];
  toDevice: ({
    at: number;
    ordinal: number;
    userId: string;
    deviceId: string;
  } & Sealed)[];
  deviceKeys: { userId: string; deviceId: string; json: string }[];
  oneTimeKeys: {
    userId: string;
    deviceId: string;
    algorithm: string;
    keyId: string;
    at: number;
    json: string;
  }[];
  fallbackKeys: {
    userId: string;
    deviceId: string;
    algorithm: string;
    keyId: string;
    json: string;
  }[];
  crossSigningKeys: {
    at: number;
    userId: string;
    usage: "master" | "self_signing" | "user_signing";
    json: string;
  }[];
  keySignatures: {
    userId: string;
    target: string;
    signer: string;
    signingKey: string;
    signature: string;
    /** Of what is signed: it says nothing of a key that comes in its place. */
    signedHash: Uint8Array;
  }[];
  /** Takes the place of the user's last one; the device itself is among `devices`. */
  dehydratedDevices: ({
    at: number;
    userId: string;
    deviceId: string;
  } & Sealed)[];
  /**
   * Who shares a room with this user has to be told of new device keys; where a
   * viewer is named, that user alone.
   */
  deviceListChanges: { at: number; userId: string; viewer?: string }[];
  /** One that is there already, by user and key, is changed and stays its device's. */
  pushers: ({
    at: number;
    pusherId: number;
    userId: string;
    deviceId: string;
    keyHash: Uint8Array;
    kind: "http" | "email";
    isEnabled: boolean;
    shard: number;
    /** Whether other users' pushers of the same key stay. */
    isAppended: boolean;
    createdTs: number;
  } & Sealed)[];
  removedPushers: { userId: string; keyHash: Uint8Array }[];
  /** Of a room, an event of it, or a user; the reason is sealed under the reporter's key. */
  reports: ({
    at: number;
    reportId: number;
    reporter: string;
    roomId: string | null;
    eventId: string | null;
    userId: string | null;
    createdTs: number;
  } & Sealed)[];
  /** A role that is there already is changed. */
  customRoles: {
    roleId: string;
    description: string;
    permissions: readonly string[];
    side: "shared" | "operations" | "security" | "audit";
    createdBy: string;
    changedTs: number;
  }[];
  /** With all bindings of it. */
  removedCustomRoles: { roleId: string }[];
  roleBindings: {
    bindingId: number;
    userId: string;
    roleId: string;
    scopeKind: ScopeKind;
    /** A group, a space or a room; else "". */
    scopeId: string;
    /** Those of the scope `users`. */
    users: readonly string[];
    expiresTs: number | null;
    reason: string;
    grantedBy: string;
    grantedTs: number;
  }[];
  removedRoleBindings: { bindingId: number }[];
  groups: {
    groupId: string;
    description: string;
    createdBy: string;
    createdTs: number;
  }[];
  /** With its members, and with all bindings whose scope it is. */
  removedGroups: { groupId: string }[];
  groupMembers: {
    groupId: string;
    userId: string;
    addedBy: string;
    addedTs: number;
  }[];
  removedGroupMembers: { groupId: string; userId: string }[];
  /** Good for thirty days at the most, by the database's time. */
  adminTokens: {
    tokenId: number;
    tokenHash: Uint8Array;
    userId: string;
    name: string;
    permissions: readonly string[];
    networks: readonly string[];
    expiresTs: number;
    createdTs: number;
  }[];
  removedAdminTokens: { tokenId: number }[];
  thirdPartyIds: ({
    userId: string;
    medium: Medium;
    addressHash: Uint8Array;
    createdTs: number;
  } & Sealed)[];
  /** All of a user. */
  removedThirdPartyIds: { userId: string }[];
  /** A subject that is somebody else's stays theirs. */
  externalIds: ({
    provider: string;
    subjectHash: Uint8Array;
    userId: string;
    createdTs: number;
  } & Sealed)[];
  removedExternalIds: { userId: string }[];
  /** One that waits already goes on waiting. */
  pendingErasures: { userId: string; requestedBy: string; waitMs: number }[];
  removedErasures: { userId: string }[];
  /** Done where it still waits, and its time has come; by this task then. */
  dueErasures: { userId: string; jobId: string }[];
  /** A hold keeps those that wait from being done. */
  heldErasures: { userId: string }[];
  noticeRooms: { userId: string; roomNid: number }[];
  registrationTokens: {
    token: string;
    usesAllowed: number | null;
    expiresTs: number | null;
    createdTs: number;
  }[];
  /** Absent fields stay as they are. */
  registrationTokenChanges: {
    token: string;
    usesAllowed?: number | null;
    expiresTs?: number | null;
  }[];
  removedRegistrationTokens: { token: string }[];
  /** Whether jobs may begin, or which one rests no more. */
  jobPauses: ({ isPaused: boolean } | { woken: string })[];
  /** Rooms that nobody of this server comes into any more, known here or not. */
  roomBlocks: { roomId: string; blockedBy: string }[];
  removedRoomBlocks: { roomId: string }[];
  /** A long task, which begins after so long, by the database's time. */
  adminJobs: {
    jobId: string;
    kind: AdminJobKind;
    roomId: string | null;
    userId: string | null;
    /** JSON. */
    params: string;
    waitMs: number;
    createdBy: string;
  }[];
  /** One that has ended stays as it is. */
  cancelledAdminJobs: { jobId: string }[];
  /** What a task has done to whom. */
  adminJobItems: {
    jobId: string;
    item: string;
    kind: "kicked" | "not-kicked" | "not-redacted";
    reason: string | null;
  }[];
  /** Ends of a room's graph that no event shall cite any more. */
  prunedExtremities: { roomNid: number; nid: number }[];
  /** One that waits for the same request of the same user wins. */
  approvals: ({
    approvalId: string;
    requestedBy: string;
    requestHash: string;
    permissions: readonly string[];
    userId: string | null;
    roomId: string | null;
    requestedTs: number;
    waitMs: number;
    /** One for the same request that is of no use any more. */
    replaces: string | null;
  } & Sealed)[];
  /** Used up with what they were for; lost where one does not hold, or who may do what is another by now. */
  approvalUses: { approvalId: string; version: number }[];
  /** Absent fields stay as they are. */
  approvalChanges: {
    approvalId: string;
    /** The state that it must be in; of no matter to a review. */
    before: ApprovalState;
    version?: number;
    state?: ApprovalState;
    decidedBy?: string;
    comment?: string;
    /** How long it holds from now on. */
    waitMs?: number;
    glassReason?: string;
    isBreakGlass?: boolean;
    reviewedBy?: string;
    review?: string;
  }[];
  /** Withheld from everybody, unless it is protected. */
  quarantinedMedia: { mediaId: string; quarantinedBy: string }[];
  releasedMedia: { mediaId: string }[];
  mediaProtections: { mediaId: string; isProtected: boolean }[];
  /** With what sealed it; its bytes belong to nobody then, unless it shared them. */
  removedMedia: { mediaId: string }[];
  removedReports: { reportId: number }[];
  /** With their images, unless an event or a profile names them. */
  removedUrlPreviews: { urlHash: Uint8Array; fetchedTs: number }[];
  /** One of the same detector, subject and span is there once. */
  alerts: {
    alertId: number;
    detector: string;
    severity: "low" | "medium" | "high";
    subject: string;
    span: number;
    userId: string | null;
    recordSeq: number | null;
    /** JSON. */
    facts: string;
    isLocked: boolean;
  }[];
  /** From the commit on, nothing that it covers is destroyed. */
  holds: {
    holdId: string;
    name: string;
    caseId: string;
    reason: string;
    /** Null for all. */
    userIds: readonly string[] | null;
    roomIds: readonly string[] | null;
    roomNids: readonly number[] | null;
    fromTs: number | null;
    untilTs: number | null;
    createdBy: string;
  }[];
  holdReleases: { holdId: string; releasedBy: string; releaseReason: string }[];
  /** One that was acknowledged before stays so. */
  alertAcknowledgements: {
    alertId: number;
    acknowledgedBy: string;
    comment: string;
  }[];
  /** The text is JSON. */
  policyVersions: {
    policyId: string;
    version: number;
    document: string;
    author: string;
  }[];
  /** Which version of a policy is in force; null for none. */
  policyActivations: {
    policyId: string;
    version: number | null;
    activatedBy: string;
  }[];
  /** In place of those that there are; a JSON object. */
  userAttributes: { userId: string; attributes: string; setBy: string }[];
  roomAttributes: { roomNid: number; attributes: string; setBy: string }[];
  /** Of the room that another one replaces. */
  inheritedAttributes: { roomNid: number; fromRoomNid: number }[];
  /** What a retention policy is to say; JSON. It has to be tried, then put in force. */
  retentionDrafts: { policyId: string; draft: string; changedBy: string }[];
  /** Somebody was shown what this version would destroy. */
  retentionTrials: { policyId: string; version: number }[];
  /** In force after so long, where just this version was tried. */
  retentionActivations: {
    policyId: string;
    version: number;
    waitMs: number;
    activatedBy: string;
  }[];
  /** It destroys nothing more; what others would do in its place waits so long. */
  removedRetentionPolicies: { policyId: string; waitMs: number }[];
  /** What a person asks for, due after so long by the database's time. */
  privacyRequests: ({
    requestId: string;
    userId: string;
    kind: PrivacyRequestKind;
    openedBy: string;
    dueInMs: number;
  } & Sealed)[];
  /** Made on this version; where it is another by now, nothing changes. What is not sealed anew stays. */
  privacyRequestChanges: ({
    requestId: string;
    version: number;
    state: PrivacyRequestState;
    dueTs: number;
    checkedBy: string | null;
  } & Partial<Sealed>)[];
  /** What somebody agreed to, or no longer does, as the ledger has it. */
  consents: {
    userId: string;
    policy: string;
    version: string;
    locale: string;
    isGiven: boolean;
  }[];
  /** What became of a line of a list of accounts; null where the account is made. */
  importRowEnds: { jobId: string; line: number; errcode: string | null }[];
  /** Of devices that are removed in the same write: their tokens stay known. */
  deviceWipes: {
    wipeId: string;
    userId: string;
    deviceId: string;
    orderedBy: string;
  }[];
  /** They were refused, and so their clients know. */
  toldWipes: { wipeId: string }[];
  /** With its task; the contents are JSON. */
  campaigns: {
    campaignId: string;
    name: string;
    jobId: string;
    audienceKind: "all" | "group" | "users";
    audienceId: string;
    /** Those of the audience `users`. */
    users: readonly string[];
    content: string;
    reminder: string;
    remindAfterMs: number | null;
    mostReminders: number;
    openForMs: number;
    createdBy: string;
  }[];
  incidents: {
    incidentId: string;
    title: string;
    severity: "low" | "medium" | "high";
    fromTs: number | null;
    toTs: number | null;
    summary: string;
    openedBy: string;
    /** Null for now. */
    awareTs: number | null;
  }[];
  /** Made on this version of one that is open; absent fields stay as they are. */
  incidentChanges: {
    incidentId: string;
    version: number;
    title?: string;
    severity?: "low" | "medium" | "high";
    fromTs?: number;
    toTs?: number;
    summary?: string;
    campaignId?: string;
    notification?: string;
    closedBy?: string;
    report?: string;
  }[];
  /** A mode stays once it is `rows`; `roomId` "" stands for all rooms. */
  pushModes: {
    at: number;
    userId: string;
    roomId: string;
    mode: "keywords" | "rows";
  }[];
}

export type ApprovalState =
  | "pending"
  | "approved"
  | "denied"
  | "withdrawn"
  | "used"
  /** Who approved it could not any more when it was to be used. */
  | "void"
  | "expired";

export type Medium = "email" | "msisdn";
export type AdminJobKind =
  | "delete-room"
  | "purge-history"
  | "redact-user"
  | "retention"
  | "erase-user"
  | "import-users"
  | "campaign"
  | "end-sessions";
export type PrivacyRequestKind = "access" | "rectify" | "erase";
export type PrivacyRequestState =
  "open" | "in_progress" | "done" | "refused" | "withdrawn";

export type ScopeKind = "server" | "group" | "space" | "room" | "users";

/**
 * What a use-case hands to the committer. All of it commits, or none; the
 * answer tells which precondition was lost.
 */
export interface Write {
  /** How many positions of the stream it takes; an event takes one each, a record by itself none. */
  positions: number;
  idempotency?: readonly { key: Uint8Array; answer: string }[];
  /** Users that must exist and not be deactivated when it commits. */
  activeUsers?: readonly string[];
  /** Devices that must exist when it commits. */
  liveDevices?: readonly { userId: string; deviceId: string }[];
  /** All devices that a user may have when it commits. */
  onlyDevices?: { userId: string; deviceIds: readonly string[] };
  /** Needed to change who may do what; loses where the version is another by now, unless null. */
  authority?: { version: number | null };
  rooms?: readonly RoomRun[];
  /** In stream order; those that are not outliers take the positions 0, 1, 2 … */
  events?: readonly EventRow[];
  snapshots?: readonly SnapshotRow[];
  stateChanges?: readonly StateChangeRow[];
  memberships?: readonly MembershipRow[];
  rows?: Partial<WriteRows>;
  /** Records of acts of power; canonical JSON without its place in the chain. */
  audit?: readonly string[];
  /** Whom to wake besides the rooms of its events. */
  wake?: { rooms?: readonly number[]; users?: readonly string[] };
}

/** As use-cases hand it over: what is recorded of it is not sealed yet. */
export interface RecordedWrite extends Omit<Write, "audit"> {
  audit?: readonly AuditDraft[];
}

/** What a precondition was lost to. */
export type Conflict =
  | "room" // the room's state version moved, or the new room exists
  | "user" // the new user exists
  | "alias" // the new alias exists
  | "inactive-user"
  | "missing-device"
  | "other-device" // a user has one more
  | "device" // the device sleeps, or the one to be put to sleep has a session
  | "invite-permission" // who may invite a user was set anew
  | "registration-token"
  | "authority" // who may do what changed: decide anew
  | "approval" // it was used or decided, waits already, or who may approve changed
  | "hold" // it keeps what was to be deleted
  | "blocked-room" // nobody comes into it any more
  | "push-rules" // a member's rules changed: assess anew
  | "key"; // a key that sealed its rows was destroyed: seal anew

export interface ExtremityRow {
  nid: number;
  eventId: string;
  depth: number;
}

export interface Committed {
  status: "committed";
  firstPosition: number;
  lastPosition: number;
  /** Where its batch ends. */
  upTo: number;
  /** Extremities that others have left in the run's room since `seenTo`, at most 21; absent: not known. */
  beside?: readonly ExtremityRow[];
}

export type CommitResult =
  | Committed
  /** One of its idempotency keys was used before: `index` tells which. */
  | { status: "duplicate"; index: number; answer: string }
  | { status: "conflict"; over: Conflict };

/** The one door through which everything durable enters the stream. */
export interface Committer {
  /**
   * Commits a write, together with whatever else queued meanwhile. Resolves
   * after COMMIT. Rejects when the database is out of reach and the write is
   * known not to have happened, or never will.
   */
  commit(write: Write): Promise<CommitResult>;
}

/** The committer as use-cases have it. */
export interface RecordingCommitter {
  commit(write: RecordedWrite): Promise<CommitResult>;
}
