-- Emails that were handed on to analysis, until something is on record of them; and proof that none is missing.

-- tables ----------------------------------------------------------------------------------------------------

create table public.awaited_emails (
  user_id uuid not null references auth.users (id) on delete cascade,
  mailbox_id uuid not null,
  email_id text not null,
  handed_on_at timestamptz not null default now(),
  primary key (user_id, email_id)
);
comment on table public.awaited_emails is
  'Handed on to analysis, and nothing on record yet. A row can be left behind by an email that is handed on again while it'
  ' is being recorded: whoever counts ignores those that processed_emails knows.';

-- A column of its own: under row level security Postgres takes a coalesce in a condition for something that might leak rows,
-- and keeps it from every index.
alter table public.processed_emails
  add column counted_at timestamptz not null generated always as (coalesce(sent_at, processed_at)) stored;
comment on column public.processed_emails.counted_at is
  'The time that an email is counted at: when it was sent, or when it was looked at where nobody could tell.';

-- constraints -----------------------------------------------------------------------------------------------

alter table public.awaited_emails
  add constraint awaited_emails_of_a_mailbox_of_the_user
    foreign key (mailbox_id, user_id) references public.mailboxes (id, user_id) on delete cascade;

-- indexes ---------------------------------------------------------------------------------------------------

create index awaited_emails_by_mailbox on public.awaited_emails (mailbox_id);
create index awaited_emails_by_time on public.awaited_emails (user_id, handed_on_at);
create index processed_emails_by_time on public.processed_emails (user_id, counted_at);

-- rights ----------------------------------------------------------------------------------------------------

alter table public.awaited_emails enable row level security;
revoke all on public.awaited_emails from anon, authenticated;
grant select on public.awaited_emails to authenticated;
grant select, insert, update, delete on public.awaited_emails to service_role;

-- Only the functions write here: no policy lets a user do so.
create policy "Users see which of their email waits" on public.awaited_emails
  for select to authenticated using ((select auth.uid()) = user_id);

-- functions -------------------------------------------------------------------------------------------------

create function public.await_analysis(p_mailbox_id uuid, p_email_ids text[])
returns void
language sql volatile security invoker set search_path = ''
as $$
  -- Those that were read wait for nothing; those that failed do. An email keeps the time at which it was first handed on.
  -- One order of locks, so that two calls that share emails can't block each other for ever.
  insert into public.awaited_emails (user_id, mailbox_id, email_id)
  select m.user_id, m.id, given.email_id
  from public.mailboxes m
  cross join unnest(p_email_ids) as given (email_id)
  where m.id = p_mailbox_id
    and not exists (
      select from public.processed_emails p
      where p.user_id = m.user_id and p.email_id = given.email_id and private.is_reading(p.outcome)
    )
  order by given.email_id
  on conflict (user_id, email_id) do nothing;
$$;
revoke execute on function public.await_analysis from public, anon, authenticated;
grant execute on function public.await_analysis to service_role;

create function private.no_longer_awaited() returns trigger
language plpgsql set search_path = ''
as $$
begin
  delete from public.awaited_emails a using recorded r where a.user_id = r.user_id and a.email_id = r.email_id;
  return null;
end;
$$;

-- Two triggers: a transition table belongs to one event.
create trigger processed_emails_recorded_are_no_longer_awaited after insert on public.processed_emails
  referencing new table as recorded for each statement execute function private.no_longer_awaited();
create trigger processed_emails_recorded_again_are_no_longer_awaited after update on public.processed_emails
  referencing new table as recorded for each statement execute function private.no_longer_awaited();

alter table public.mailboxes add column not_listed tstzrange;
comment on column public.mailboxes.not_listed is
  'Sent mail of this time was never listed: its history had expired, and the catch-up was bounded. A rescan makes it good.';

drop function public.advance_watermark(uuid, numeric, boolean, boolean);
create function public.advance_watermark(
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
      else range_merge(
        tstzrange(p_not_listed_from, p_not_listed_to), coalesce(not_listed, tstzrange(p_not_listed_from, p_not_listed_to))
      )
    end
  where id = p_mailbox_id
  returning history_id::text;
$$;
revoke execute on function public.advance_watermark from public, anon, authenticated;
grant execute on function public.advance_watermark to service_role;

create function public.coverage(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql stable strict security invoker set search_path = ''
as $$
  -- Of the emails that the caller sent from p_from on and before p_to, what became of each: sent = accounted_for + waiting.
  with on_record as (
    select p.outcome, p.failure, count(*) as emails, count(p.second_look) as second_looks
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
    'not_listed', (
      select coalesce(jsonb_agg(jsonb_build_object('from', lower(m.not_listed), 'to', upper(m.not_listed))), '[]')
      from public.mailboxes m
      where m.user_id = (select auth.uid()) and m.not_listed && tstzrange(p_from, p_to)
    ),
    'mailboxes', (
      select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'state', m.state) order by m.connected_at, m.id), '[]')
      from public.mailboxes m where m.user_id = (select auth.uid())
    )
  )
  from total cross join waiting;
$$;
revoke execute on function public.coverage from public, anon, service_role;
grant execute on function public.coverage to authenticated;
