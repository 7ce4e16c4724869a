import { sql } from "kysely";
import type { Db } from "../../../src/store/database.ts";

/** As many stored sessions as a hub has after a long time, without the time; one repository has nearly all of them. */
export async function fillSessions(db: Db, count: number): Promise<void> {
  // One after the other: each statement has its time.
  for (let from = 0; from < count; from += AT_ONCE)
    await fillWithin(db, from, Math.min(count, from + AT_ONCE) - 1);
  await sql`analyze sessions`.execute(db);
}
const AT_ONCE = 50_000;

async function fillWithin(db: Db, first: number, last: number): Promise<void> {
  await sql`insert into sessions (id, type, status, repository, requirements, metadata, options, sandbox_name,
      orchestration_id, created_at, requested_at, admitted_at, started_at, completed_at)
    select ('019a0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'implementation',
      case when n % 50 = 7 then 'failed' else 'completed' end,
      case when n % 200 = 7 then 'octo/rare' else 'octo/big' end,
      'Add a health endpoint, with a test. ' || repeat('x', 200), '{}', '{"autoStart": true}', 'claude-session-' || n,
      case when n % 100 < 10
        then ('019a0000-0000-7000-8000-' || lpad(to_hex(n / 1000), 12, '0'))::uuid end,
      now(), now(), now(), now(), now()
    from generate_series(${first}::integer, ${last}::integer) as n`.execute(db);
}

/** Of one of them. */
export function filledId(number: number): string {
  return `019a0000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
}
