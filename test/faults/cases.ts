import { audit } from "./audit.ts";
import { bodies } from "./bodies.ts";
import { claims } from "./claims.ts";
import { clock } from "./clock.ts";
import { cuts } from "./cuts.ts";
import { dags } from "./dags.ts";
import { diskFull } from "./disk-full.ts";
import { encrypted } from "./encrypted.ts";
import { erasure } from "./erasure.ts";
import { enumeration } from "./enumeration.ts";
import { exhausted } from "./exhausted.ts";
import { filters } from "./filters.ts";
import { history } from "./history.ts";
import { holds } from "./holds.ts";
import { idlePolls } from "./idle-polls.ts";
import { kills } from "./kills.ts";
import { largeFiles } from "./large-files.ts";
import { migration } from "./migration.ts";
import type { ProofCase } from "./proof.ts";
import { pushes } from "./pushes.ts";
import { retention } from "./retention.ts";
import { stopped } from "./stopped.ts";
import { stream } from "./stream.ts";
import { thumbnails } from "./thumbnails.ts";

export const cases: readonly ProofCase[] = [
  kills,
  cuts,
  stopped,
  exhausted,
  diskFull,
  clock,
  stream,
  migration,
  ...dags,
  claims,
  pushes,
  encrypted,
  largeFiles,
  thumbnails,
  history,
  idlePolls,
  filters,
  bodies,
  enumeration,
  audit,
  retention,
  erasure,
  holds,
];
