/**
 * Appends events of any number of sessions in one statement. $1: JSON array of
 * {session_id, ord, runner_seq|null, at, kind, body}, in order. Events of a runner that are in the log already
 * (runner_seq not above the stored one), or earlier in $1, are passed over, which makes a repeated batch harmless, also
 * while the first one is still on its way. The columns of
 * `sessions` that follow from events are brought up to date by the same statement, so that no crash can part them.
 */
export const APPEND_EVENTS = `
with input as (
  select * from json_to_recordset($1::json)
    as x(session_id uuid, ord integer, runner_seq integer, at timestamptz, kind text, body jsonb)
),
log as (
  select session_id, last_seq, runner_seq from session_logs
  where session_id in (select session_id from input) order by session_id for update
),
unseen as (
  select i.*, log.last_seq as log_seq,
    row_number() over (partition by i.session_id, i.runner_seq order by i.ord) as copy
  from input i join log on log.session_id = i.session_id
  where i.runner_seq is null or i.runner_seq > log.runner_seq
),
fresh as (
  select u.*, u.log_seq + row_number() over (partition by u.session_id order by u.ord) as seq
  from unseen u where u.runner_seq is null or u.copy = 1
),
appended as (
  insert into events (session_id, seq, at, kind, body)
  select session_id, seq, at, kind, body from fresh
),
ends as (
  select session_id, max(seq)::integer as last_seq, max(runner_seq) as runner_seq from fresh group by session_id
),
numbered as (
  update session_logs l set last_seq = e.last_seq, runner_seq = greatest(l.runner_seq, e.runner_seq)
  from ends e where l.session_id = e.session_id
  returning l.session_id, l.last_seq, l.runner_seq
),
running as (
  update sessions s set
    status = case when f.started is not null and s.status = 'initializing' then 'running' else s.status end,
    started_at = coalesce(s.started_at, f.started),
    agent_session_id = coalesce(f.agent_session_id, s.agent_session_id),
    input_tokens = s.input_tokens + f.input_tokens,
    output_tokens = s.output_tokens + f.output_tokens,
    cache_read_tokens = s.cache_read_tokens + f.cache_read_tokens,
    cache_write_tokens = s.cache_write_tokens + f.cache_write_tokens,
    cost_usd = s.cost_usd + f.cost_usd,
    model_calls = s.model_calls + f.model_calls
  from (
    select session_id,
      min(at) filter (where kind = 'agent.started') as started,
      max(body->>'agentSessionId') filter (where kind = 'agent.initialized') as agent_session_id,
      coalesce(sum((body->>'inputTokens')::bigint) filter (where kind = 'model.called'), 0) as input_tokens,
      coalesce(sum((body->>'outputTokens')::bigint) filter (where kind = 'model.called'), 0) as output_tokens,
      coalesce(sum((body->>'cacheReadTokens')::bigint) filter (where kind = 'model.called'), 0) as cache_read_tokens,
      coalesce(sum((body->>'cacheWriteTokens')::bigint) filter (where kind = 'model.called'), 0) as cache_write_tokens,
      coalesce(sum((body->>'costUsd')::float8) filter (where kind = 'model.called'), 0) as cost_usd,
      count(*) filter (where kind = 'model.called') as model_calls
    from fresh where kind in ('agent.started', 'agent.initialized', 'model.called') group by session_id
  ) f where s.id = f.session_id
),
told as (
  select count(pg_notify('claude_hub_events', session_id::text)) from ends
)
select log.session_id,
  coalesce(n.last_seq, log.last_seq) as last_seq,
  coalesce(n.runner_seq, log.runner_seq) as runner_seq
from log left join numbered n on n.session_id = log.session_id
cross join told`;
