-- Sent mail is listed once a day, whatever history has said of it: what was left out there is found. And coverage tells of all
-- times of which sent mail was never listed, also of those before a mailbox was connected and after it was disconnected.

-- tables ----------------------------------------------------------------------------------------------------

alter table public.mailboxes
  add column listed_at timestamptz not null default now(),
  -- Not all on the same hour, though they may have been connected in one.
  add column list_due_at timestamptz not null default now() + interval '1 day' * (1 + random());
comment on column public.mailboxes.listed_at is 'When its sent mail was last listed.';
comment on column public.mailboxes.list_due_at is 'Whoever reads its history after that lists its sent mail, too.';

-- What rescans have listed since a mailbox was connected is known. It was read from then on; what was sent before never was.
alter table public.mailboxes
  alter column not_listed type tstzmultirange using coalesce(tstzmultirange(not_listed), '{}');
update public.mailboxes m
set not_listed = m.not_listed + tstzmultirange(tstzrange(null, m.connected_at)) - coalesce(
  (
    select range_agg(tstzrange(j.range_start, j.range_end, '[]')) from public.rescan_jobs j
    where j.mailbox_id = m.id and j.state = 'done' and j.query_filter is null
  ),
  '{}'
);
update public.mailboxes m
set not_listed = m.not_listed + tstzmultirange(tstzrange(m.history_read_at - interval '1 day', null))
where m.state = 'disconnected';
alter table public.mailboxes
  alter column not_listed set default tstzmultirange(tstzrange(null, now())),
  alter column not_listed set not null;
comment on column public.mailboxes.not_listed is
  'Sent mail of these times was never listed: the mailbox was not connected, or its history had expired and the catch-up was'
  ' bounded. Rescans make it good.';

-- functions -------------------------------------------------------------------------------------------------

create function private.takes_over_what_is_not_listed() returns trigger
language plpgsql set search_path = ''
as $$
declare
  earlier public.mailboxes;
begin
  -- A mailbox that its owner had connected before: what was listed then is no gap, and what wasn't is told of once.
  select * into earlier from public.mailboxes m
  where m.user_id = new.user_id and m.email_address = new.email_address and m.state = 'disconnected'
  order by coalesce(m.disconnected_at, m.connected_at) desc
  limit 1
  for no key update;
  if found then
    new.not_listed := new.not_listed * earlier.not_listed;
    update public.mailboxes m set not_listed = '{}' where m.id = earlier.id;
  end if;
  return new;
end;
$$;

create trigger mailboxes_connected_take_over_what_is_not_listed before insert on public.mailboxes
  for each row execute function private.takes_over_what_is_not_listed();

create function private.is_listed_no_more() returns trigger
language plpgsql set search_path = ''
as $$
begin
  -- What still waits to be read is let go of: from the day before the first of it nothing is certain.
  new.not_listed := new.not_listed + tstzmultirange(
    tstzrange(
      least(new.history_read_at, (select min(a.handed_on_at) from public.awaited_emails a where a.mailbox_id = new.id))
        - interval '1 day',
      null
    )
  );
  return new;
end;
$$;

create trigger mailboxes_disconnected_are_listed_no_more before update of state on public.mailboxes
  for each row when (new.state = 'disconnected' and old.state <> 'disconnected')
  execute function private.is_listed_no_more();

-- Replaces the one of the same name: what is listed in parts is listed.
create or replace function public.advance_rescan(
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
    -- One that looked for some words only has not listed the rest.
    update public.mailboxes m
    set not_listed = m.not_listed - tstzmultirange(tstzrange(job.range_start, job.range_end, '[]'))
    where m.id = job.mailbox_id and m.not_listed && tstzrange(job.range_start, job.range_end, '[]');
  end if;
  return case job.state when 'done' then 'done' else 'advanced' end;
end;
$$;

-- Replaces the one of the same name: of all mailboxes together, and of the period alone, what was not listed.
create or replace function public.coverage(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql stable strict security invoker set search_path = ''
as $$
  -- Of the emails that the caller sent from p_from on and before p_to, what became of each: sent = accounted_for + waiting.
  with on_record as (
    select p.outcome, p.failure, count(*) as emails, count(*) filter (where private.is_second_look_due(p)) as second_looks
    from public.processed_emails p
    where p.user_id = (select auth.uid())
      and p.counted_at >= p_from and p.counted_at < p_to
    group by p.outcome, p.failure
  ), total as (
    select coalesce(sum(o.emails), 0) as accounted_for,
      coalesce(sum(o.emails) filter (where o.outcome = 'entries'), 0) as with_entries,
      coalesce(sum(o.emails) filter (where o.outcome = 'none'), 0) as without_entries,
      coalesce(sum(o.emails) filter (where o.outcome = 'excluded'), 0) as excluded,
      coalesce(sum(o.emails) filter (where o.outcome = 'gone'), 0) as gone,
      coalesce(sum(o.emails) filter (where o.outcome = 'not_sent'), 0) as not_sent,
      coalesce(jsonb_object_agg(o.failure, o.emails) filter (where o.outcome = 'failed'), '{}') as failed,
      coalesce(sum(o.second_looks), 0) as second_look_due
    from on_record o
  ), waiting as (
    -- When it was sent is known once it is read, but it was not later than when it was handed on. So one that was handed on
    -- after the period may be of it.
    select count(*) filter (where a.handed_on_at < p_to) as emails,
      count(*) filter (where a.handed_on_at >= p_to) as perhaps
    from public.awaited_emails a
    where a.user_id = (select auth.uid()) and a.handed_on_at >= p_from
      -- Left behind: see the comment on the table.
      and not exists (select from public.processed_emails p where p.user_id = a.user_id and p.email_id = a.email_id)
  )
  select jsonb_build_object(
    'sent', total.accounted_for + waiting.emails,
    'accounted_for', total.accounted_for,
    'with_entries', total.with_entries,
    'without_entries', total.without_entries,
    'excluded', total.excluded,
    'gone', total.gone,
    'not_sent', total.not_sent,
    'failed', total.failed,
    'waiting', waiting.emails,
    'perhaps_waiting', waiting.perhaps,
    'second_look_due', total.second_look_due,
    -- What was sent up to then is counted above, in every mailbox that is being read.
    'history_read_at', (
      select min(m.history_read_at) from public.mailboxes m
      where m.user_id = (select auth.uid()) and m.state = 'connected'
    ),
    -- Of the period; null: there is no beginning or no end to it.
    'not_listed', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object('from', nullif(lower(n.part), '-infinity'), 'to', nullif(upper(n.part), 'infinity'))
          order by n.part
        ), '[]'
      )
      from (
        select unnest(range_agg(m.not_listed * tstzmultirange(tstzrange(p_from, p_to)))) as part
        from public.mailboxes m
        where m.user_id = (select auth.uid())
      ) n
    ),
    'mailboxes', (
      select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'state', m.state) order by m.connected_at, m.id), '[]')
      from public.mailboxes m where m.user_id = (select auth.uid())
    )
  )
  from total cross join waiting;
$$;

-- Replaces the one of the same name: a second catch-up that is bounded adds what it leaves out, and nothing between.
create or replace function public.advance_watermark(
  p_mailbox_id uuid, p_history_id numeric, p_up_to_date boolean, p_caught_up boolean,
  p_not_listed_from timestamptz default null, p_not_listed_to timestamptz default null
) returns text
language sql volatile security invoker set search_path = ''
as $$
  -- A late or repeated push can't move it back.
  update public.mailboxes
  set history_id = greatest(history_id, p_history_id),
    history_read_at = case when p_up_to_date then now() else history_read_at end,
    catch_up_due = catch_up_due and not p_caught_up,
    not_listed = case
      when p_not_listed_from is null then not_listed
      else not_listed + tstzmultirange(tstzrange(p_not_listed_from, p_not_listed_to))
    end
  where id = p_mailbox_id
  returning history_id::text;
$$;

create function public.sent_mail_listed(p_mailbox_id uuid, p_again_in_seconds double precision) returns void
language sql volatile security invoker set search_path = ''
as $$
  update public.mailboxes m
  set listed_at = now(), list_due_at = now() + make_interval(secs => p_again_in_seconds)
  where m.id = p_mailbox_id;
$$;
revoke execute on function public.sent_mail_listed from public, anon, authenticated;
grant execute on function public.sent_mail_listed to service_role;

-- With the time whose sent mail is to be listed, if that is due: with a day that was listed before, since Gmail's list may be
-- behind; not what was sent before it was connected; nor just now, which its history is about to tell.
drop function public.mailbox_by_address(text);
create function public.mailbox_by_address(p_email_address text)
returns table (
  id uuid,
  user_id uuid,
  state public.mailbox_state,
  history_id text,
  history_read_at timestamptz,
  catch_up_due boolean,
  list_from timestamptz,
  list_to timestamptz,
  refresh_token_encrypted text
)
language sql stable security invoker set search_path = ''
as $$
  select m.id, m.user_id, m.state, m.history_id::text, m.history_read_at, m.catch_up_due,
    case when m.list_due_at <= now() then greatest(m.listed_at - interval '1 day', m.connected_at) end,
    case when m.list_due_at <= now() then now() - interval '10 minutes' end,
    c.refresh_token_encrypted
  from public.mailboxes m
  join private.mailbox_credentials c on c.mailbox_id = m.id
  where m.email_address = lower(p_email_address) and m.state <> 'disconnected';
$$;
revoke execute on function public.mailbox_by_address from public, anon, authenticated;
grant execute on function public.mailbox_by_address to service_role;
