-- How a rescan goes from page to page: one step a message, each step leased to one delivery, each email counted once.

-- columns ---------------------------------------------------------------------------------------------------

alter table public.rescan_jobs
  -- Which client an email is about shows only once it is read: nothing that a rescan could narrow its reading by.
  drop column client_filter,
  add column use_cache boolean not null default true,
  add column step integer not null default 0,
  add column published_step integer not null default -1,
  add column lease uuid,
  add column leased_until timestamptz,
  add column tries integer not null default 0,
  add column page_listed integer not null default 0,
  add column page_done text[] not null default '{}';
comment on column public.rescan_jobs.use_cache is 'False: emails that were read before are read again.';
comment on column public.rescan_jobs.step is 'What is to be done next. Each step is one message, and one page or what is left of it.';
comment on column public.rescan_jobs.published_step is 'The last step whose message Pub/Sub is known to have taken; -1: none.';
comment on column public.rescan_jobs.lease is
  'The delivery that works on the step until leased_until or, where that is null, the one that did the step before.';
comment on column public.rescan_jobs.tries is 'How often nothing of what is left of the page could be read, though Gmail listed it.';
comment on column public.rescan_jobs.page_listed is 'How many emails of the page at page_token are in listed already.';
comment on column public.rescan_jobs.page_done is 'Those of that page that are dealt with, and counted.';

-- constraints -----------------------------------------------------------------------------------------------

alter table public.rescan_jobs
  add constraint rescan_jobs_failure_is_a_code check (failure ~ '^[a-z_]{1,60}$'),
  add constraint rescan_jobs_query_filter_is_short check (length(query_filter) <= 500),
  add constraint rescan_jobs_process_what_they_listed check (failed <= processed and processed <= listed);

-- indexes ---------------------------------------------------------------------------------------------------

create index rescan_jobs_by_mailbox on public.rescan_jobs (mailbox_id);

-- functions -------------------------------------------------------------------------------------------------

create function private.is_under_way(p_state public.rescan_state) returns boolean
language sql immutable set search_path = ''
as $$
  select p_state in ('queued', 'running');
$$;
grant execute on function private.is_under_way to service_role;

create function private.rescan_patience() returns interval
language sql immutable set search_path = ''
as $$
  -- A job that has not moved for so long has lost its message.
  select interval '15 minutes';
$$;
grant execute on function private.rescan_patience to authenticated, service_role;

create function private.rescan_shown(p_job public.rescan_jobs) returns jsonb
language sql stable set search_path = ''
as $$
  -- A job as users see it.
  select jsonb_build_object(
    'id', p_job.id,
    'mailbox_id', p_job.mailbox_id,
    'state', p_job.state,
    -- Nothing moves it any more but a redelivery that is unlikely by now; the next rescan gives it up.
    'stalled', private.is_under_way(p_job.state) and p_job.updated_at < now() - private.rescan_patience(),
    'range', jsonb_build_object('start', p_job.range_start, 'end', p_job.range_end),
    'filters', jsonb_build_object('query_filter', p_job.query_filter, 'use_cache', p_job.use_cache),
    'listed', p_job.listed,
    'processed', p_job.processed,
    'failed', p_job.failed,
    'entries_found', p_job.entries_found,
    'created_at', p_job.created_at,
    'updated_at', p_job.updated_at,
    'failure', p_job.failure
  );
$$;
grant execute on function private.rescan_shown to authenticated, service_role;

create function public.rescan_job(p_job_id uuid) returns jsonb
language sql stable security invoker set search_path = ''
as $$
  -- As the user: row level security leaves their own. Null: there is none of this id.
  select private.rescan_shown(j) from public.rescan_jobs j where j.id = p_job_id and j.user_id = (select auth.uid());
$$;
revoke execute on function public.rescan_job from public, anon, service_role;
grant execute on function public.rescan_job to authenticated;

create function public.latest_rescans(p_most integer) returns jsonb
language sql stable security invoker set search_path = ''
as $$
  -- As the user, the newest first.
  select coalesce(jsonb_agg(private.rescan_shown(j) order by j.created_at desc, j.id), '[]')
  from (
    select * from public.rescan_jobs own
    where own.user_id = (select auth.uid())
    order by own.created_at desc, own.id
    limit p_most
  ) j;
$$;
revoke execute on function public.latest_rescans from public, anon, service_role;
grant execute on function public.latest_rescans to authenticated;

create function public.start_rescan(
  p_job_id uuid, p_user_id uuid, p_mailbox_id uuid, p_range_start timestamptz, p_range_end timestamptz,
  p_query_filter text, p_use_cache boolean
) returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  known bigint;
  readable uuid[];
  job public.rescan_jobs;
begin
  -- What came of it: `started`, or why not. The id is the caller's, so that a call that is repeated starts one job.
  select count(*), coalesce(array_agg(m.id order by m.connected_at, m.id) filter (where m.state = 'connected'), '{}')
  into known, readable
  from public.mailboxes m
  where m.user_id = p_user_id and m.state <> 'disconnected' and (p_mailbox_id is null or m.id = p_mailbox_id);
  if known = 0 then
    return jsonb_build_object('verdict', case when p_mailbox_id is null then 'no_mailbox' else 'unknown_mailbox' end);
  elsif readable = '{}' then
    return jsonb_build_object('verdict', 'reconnect_needed');
  elsif cardinality(readable) > 1 then
    return jsonb_build_object('verdict', 'several_mailboxes', 'mailbox_ids', to_jsonb(readable));
  end if;

  -- A job moves with each try of each step, and between two tries Pub/Sub waits 10 minutes at most.
  update public.rescan_jobs j
  set state = 'failed', failure = 'stalled', updated_at = now()
  where j.mailbox_id = readable[1] and private.is_under_way(j.state) and j.updated_at < now() - private.rescan_patience();

  insert into public.rescan_jobs (id, user_id, mailbox_id, range_start, range_end, query_filter, use_cache)
  values (p_job_id, p_user_id, readable[1], p_range_start, p_range_end, p_query_filter, p_use_cache)
  on conflict do nothing;
  -- Ours, also where an earlier call had made it; else the one that runs.
  select * into job from public.rescan_jobs j
  where j.user_id = p_user_id and (j.id = p_job_id or j.mailbox_id = readable[1] and private.is_under_way(j.state))
  order by j.id = p_job_id desc limit 1;
  if not found then  -- it has come to its end since
    raise exception 'another rescan ended meanwhile: try again' using errcode = 'serialization_failure';
  end if;
  return jsonb_build_object(
    'verdict', case when job.id = p_job_id then 'started' else 'running' end,
    'job', private.rescan_shown(job),
    'unpublished_step', case when job.published_step < job.step then job.step end
  );
end;
$$;
revoke execute on function public.start_rescan from public, anon, authenticated;
grant execute on function public.start_rescan to service_role;

create function public.cancel_rescan(p_user_id uuid, p_job_id uuid) returns jsonb
language sql volatile security invoker set search_path = ''
as $$
  -- The job as it is then; one that has ended stays as it ended. Null: the user has none of this id.
  update public.rescan_jobs j
  set state = case when private.is_under_way(j.state) then 'cancelled' else j.state end,
    updated_at = case when private.is_under_way(j.state) then now() else j.updated_at end
  where j.id = p_job_id and j.user_id = p_user_id
  returning private.rescan_shown(j);
$$;
revoke execute on function public.cancel_rescan from public, anon, authenticated;
grant execute on function public.cancel_rescan to service_role;

create function public.claim_rescan_step(p_job_id uuid, p_step integer, p_lease uuid, p_lease_seconds double precision)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  job public.rescan_jobs;
begin
  -- What a delivery of this step's message has to do; `claimed`: the step is its own until the lease ends.
  select * into job from public.rescan_jobs j where j.id = p_job_id for update;
  if not found then
    return jsonb_build_object('verdict', 'unknown');
  elsif not private.is_under_way(job.state) then
    return jsonb_build_object('verdict', 'over');
  elsif p_step > job.step then
    return jsonb_build_object('verdict', 'ahead');
  elsif p_step < job.step then
    return jsonb_build_object(
      'verdict', case when p_step = job.step - 1 and job.published_step < job.step then 'unpublished' else 'passed' end
    );
  elsif job.leased_until > clock_timestamp() and job.lease <> p_lease then
    return jsonb_build_object('verdict', 'taken');
  end if;
  update public.rescan_jobs j
  set state = 'running',
    lease = p_lease,
    leased_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
    updated_at = now()
  where j.id = p_job_id
  returning * into job;
  return jsonb_build_object('verdict', 'claimed', 'step', to_jsonb(job));
end;
$$;
revoke execute on function public.claim_rescan_step from public, anon, authenticated;
grant execute on function public.claim_rescan_step to service_role;

create function public.rescan_step_hold(p_job_id uuid, p_lease uuid) returns text
language sql stable security invoker set search_path = ''
as $$
  -- `held`: the step is still this delivery's. `lost`: it is another's now. `over`: nobody's, the job has ended.
  select coalesce(
    (
      select case
        when not private.is_under_way(j.state) then 'over'
        when j.lease = p_lease and j.leased_until is not null then 'held'
        else 'lost'
      end
      from public.rescan_jobs j where j.id = p_job_id
    ), 'over'
  );
$$;
revoke execute on function public.rescan_step_hold from public, anon, authenticated;
grant execute on function public.rescan_step_hold to service_role;

create function public.advance_rescan(
  p_job_id uuid, p_step integer, p_lease uuid, p_page_listed integer, p_page_done text[], p_is_page_done boolean,
  p_next_page_token text
) returns text
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  job public.rescan_jobs;
  newly text[];
begin
  -- The step is done: count what it dealt with, and set the next one. `advanced`, `done` (there is no next one), or why
  -- not: `lost`, `over`. p_page_done: all of the page that is dealt with by now. p_page_listed: all that is known of it.
  select * into job from public.rescan_jobs j where j.id = p_job_id for update;
  if not found then
    return 'over';
  elsif job.lease = p_lease and job.step = p_step + 1 and job.state in ('running', 'done') then  -- the call is repeated
    return case job.state when 'done' then 'done' else 'advanced' end;
  elsif job.state <> 'running' then
    return 'over';
  elsif job.step <> p_step or job.lease <> p_lease then
    return 'lost';
  end if;

  -- Counted from what is on record, so that what a killed delivery recorded counts as well.
  select coalesce(array_agg(distinct d.email_id), '{}') into newly
  from unnest(p_page_done) as d (email_id) where d.email_id <> all (job.page_done);
  update public.rescan_jobs j
  set state = case when p_is_page_done and p_next_page_token is null then 'done' else j.state end,
    step = j.step + 1,
    leased_until = null,
    tries = 0,
    listed = j.listed - j.page_listed + p_page_listed,
    processed = j.processed + cardinality(newly),
    failed = j.failed + found.failed,
    entries_found = j.entries_found + found.entries,
    page_token = case when p_is_page_done then p_next_page_token else j.page_token end,
    page_listed = case when p_is_page_done then 0 else p_page_listed end,
    page_done = case when p_is_page_done then '{}' else j.page_done || newly end,
    updated_at = now()
  from (
    select count(*) filter (where p.outcome = 'failed') as failed, coalesce(sum(p.entry_count), 0) as entries
    from public.processed_emails p
    where p.user_id = job.user_id and p.email_id = any (newly)
  ) as found
  where j.id = p_job_id
  returning j.* into job;
  if job.state = 'done' and job.query_filter is null then
    -- Whatever a catch-up had to leave out is listed now.
    update public.mailboxes m set not_listed = null
    where m.id = job.mailbox_id and m.not_listed <@ tstzrange(job.range_start, job.range_end, '[]');
  end if;
  return case job.state when 'done' then 'done' else 'advanced' end;
end;
$$;
revoke execute on function public.advance_rescan from public, anon, authenticated;
grant execute on function public.advance_rescan to service_role;

create function public.rescan_step_published(p_job_id uuid, p_step integer) returns void
language sql volatile security invoker set search_path = ''
as $$
  update public.rescan_jobs j set published_step = greatest(j.published_step, p_step) where j.id = p_job_id;
$$;
revoke execute on function public.rescan_step_published from public, anon, authenticated;
grant execute on function public.rescan_step_published to service_role;

create function public.release_rescan_step(p_job_id uuid, p_lease uuid, p_in_vain boolean default false) returns void
language sql volatile security invoker set search_path = ''
as $$
  -- The delivery gives up for now: the next one needn't wait for the end of the lease.
  update public.rescan_jobs j
  set leased_until = null, tries = j.tries + p_in_vain::integer
  where j.id = p_job_id and j.lease = p_lease and j.leased_until is not null;
$$;
revoke execute on function public.release_rescan_step from public, anon, authenticated;
grant execute on function public.release_rescan_step to service_role;

create function public.fail_rescan(p_job_id uuid, p_lease uuid, p_failure text) returns boolean
language sql volatile security invoker set search_path = ''
as $$
  -- By whoever holds the step; p_lease null: while nobody has begun. False: it was not theirs to fail.
  with failed as (
  update public.rescan_jobs j
  set state = 'failed', failure = p_failure, leased_until = null, updated_at = now()
  where j.id = p_job_id and private.is_under_way(j.state) and j.lease is not distinct from p_lease
  returning j.id
  )
  select exists (select from failed);
$$;
revoke execute on function public.fail_rescan from public, anon, authenticated;
grant execute on function public.fail_rescan to service_role;
