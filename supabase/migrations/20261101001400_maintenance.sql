-- Maintenance: what keeps mailboxes read though a push is lost, a model is away or a process dies; and how long things stay.
--
-- A task claims what is due, in small batches, and works on it after the claim is committed. Every claim ends by itself: what a
-- task that was killed had claimed comes due again. So tasks may run twice at once, and die anywhere.

-- tables ----------------------------------------------------------------------------------------------------

create table private.mailbox_upkeep (
  mailbox_id uuid primary key references public.mailboxes (id) on delete cascade,
  watch_due_at timestamptz not null default '-infinity',
  watch_failures integer not null default 0,
  watch_failure text,
  look_due_at timestamptz not null default '-infinity'
);
comment on table private.mailbox_upkeep is 'What maintenance has to do with a mailbox, and when at the earliest.';
comment on column private.mailbox_upkeep.watch_due_at is 'Its watch is somebody''s to renew until then, or left alone after a failure.';
comment on column private.mailbox_upkeep.watch_failure is 'A code for why the watch could not be renewed the last time.';
comment on column private.mailbox_upkeep.look_due_at is 'A look at its history is under way: not asked for again before.';

create table private.rescan_revivals (
  job_id uuid primary key references public.rescan_jobs (id) on delete cascade,
  step integer not null,
  tries integer not null,
  due_at timestamptz not null
);
comment on table private.rescan_revivals is 'Rescans whose message was lost: how often the step''s was published again.';

create table private.second_looks (
  user_id uuid not null,
  email_id text not null,
  reason text not null,
  read_at timestamptz not null,
  tries integer not null default 0,
  due_at timestamptz not null,
  primary key (user_id, email_id),
  foreign key (user_id, email_id) references public.processed_emails (user_id, email_id) on delete cascade
);
comment on table private.second_looks is
  'Readings that a model had no say in. Apart from processed_emails: a second look that finds no more than the first writes nothing'
  ' there, and the tries have to be counted all the same.';
comment on column private.second_looks.read_at is 'The reading that the tries are of: processed_at.';

create table private.dismissed_entries (
  user_id uuid not null references auth.users (id) on delete cascade,
  email_id text not null,
  evidence_key text not null,
  amount int4range not null,
  dismissed_at timestamptz not null,
  primary key (user_id, email_id, evidence_key)
);
comment on table private.dismissed_entries is
  'Entries that a person dismissed and that are purged: where they stood, no words. Another reading must not bring them back.';

create table private.dead_letters (
  message_id text primary key,
  topic text not null,
  reason text not null,
  replays integer not null default 0,
  mailbox_id uuid references public.mailboxes (id) on delete cascade,
  email_id text,
  job_id uuid references public.rescan_jobs (id) on delete cascade,
  step integer,
  correlation_id text not null default '',
  kept_at timestamptz not null default now()
);
comment on table private.dead_letters is
  'Messages that were replayed in vain, or are none of ours: ids only, until an operator replays them. message_id: of the dead'
  ' letter, so that one that is kept twice is kept once.';

-- columns ---------------------------------------------------------------------------------------------------

alter table public.awaited_emails
  add column tries integer not null default 0,
  add column next_try_at timestamptz not null default now() + interval '15 minutes';
comment on column public.awaited_emails.tries is 'How often it was handed on again.';
comment on column public.awaited_emails.next_try_at is 'If nothing is on record by then, it is handed on again.';

alter table public.processed_emails add column second_look_given_up_at timestamptz;
comment on column public.processed_emails.second_look_given_up_at is
  'Since then no second look is due by itself, though the reading is still without the model''s say (second_look). A rescan looks'
  ' again. Earlier than processed_at: it was about an earlier reading.';

-- constraints -----------------------------------------------------------------------------------------------

alter table private.mailbox_upkeep
  add constraint mailbox_upkeep_failure_is_a_code check (watch_failure ~ '^[a-z_]{1,60}$');
alter table private.dead_letters
  add constraint dead_letters_reason_is_a_code check (reason ~ '^[a-z_]{1,60}$'),
  add constraint dead_letters_hold_ids check (greatest(length(message_id), length(topic), length(email_id), length(correlation_id)) <= 255);

-- indexes ---------------------------------------------------------------------------------------------------

-- None on history_read_at: every push moves it, and would have to move it in an index, too.
create index mailboxes_by_end_of_watch on public.mailboxes ((coalesce(watch_expires_at, '-infinity'))) where state = 'connected';
create index awaited_emails_by_next_try on public.awaited_emails (next_try_at);
create index second_looks_by_due on private.second_looks (due_at);
create index dead_letters_by_mailbox on private.dead_letters (mailbox_id);
create index dead_letters_by_job on private.dead_letters (job_id);
create index entries_by_age on public.time_tracking_entries (created_at);
create index entries_dismissed_by_age on public.time_tracking_entries ((coalesce(edited_at, created_at))) where status = 'dismissed';
create index processed_emails_by_age on public.processed_emails (processed_at);
create index entry_changes_by_age on private.entry_changes (changed_at);
create index rescan_jobs_by_last_move on public.rescan_jobs (updated_at);

-- rights ----------------------------------------------------------------------------------------------------

alter table private.mailbox_upkeep enable row level security;
alter table private.rescan_revivals enable row level security;
alter table private.second_looks enable row level security;
alter table private.dismissed_entries enable row level security;
alter table private.dead_letters enable row level security;
revoke all on private.mailbox_upkeep, private.rescan_revivals, private.second_looks, private.dismissed_entries,
  private.dead_letters from public, anon, authenticated;
grant select, insert, update, delete on private.mailbox_upkeep, private.rescan_revivals, private.second_looks,
  private.dead_letters to service_role;
grant select on private.dismissed_entries to service_role;

-- functions -------------------------------------------------------------------------------------------------

create function private.growing_pause(p_tries integer) returns interval
language sql immutable set search_path = ''
as $$
  -- An hour after the first try, then two, four, up to a day.
  select least(interval '1 hour' * 2 ^ least(p_tries, 5), interval '1 day');
$$;
revoke execute on function private.growing_pause from public;
grant execute on function private.growing_pause to service_role;

-- watches ---------------------------------------------------------------------------------------------------

create function public.claim_watches(p_within_seconds double precision, p_lease_seconds double precision, p_most integer)
returns jsonb
language sql volatile security invoker set search_path = ''
as $$
  -- Mailboxes whose watch ends within that time, or has: the caller's to renew until the lease ends. The soonest first.
  -- Two locks: a call beside this one passes its mailboxes by; one that looked before it was done finds them claimed.
  with due as (
    select m.id
    from public.mailboxes m
    left join private.mailbox_upkeep u on u.mailbox_id = m.id
    where m.state = 'connected'
      and coalesce(m.watch_expires_at, '-infinity') < now() + make_interval(secs => p_within_seconds)
      and coalesce(u.watch_due_at, '-infinity') <= now()
      and exists (select from private.mailbox_credentials c where c.mailbox_id = m.id)
    order by coalesce(m.watch_expires_at, '-infinity')
    limit p_most
    for no key update of m skip locked
  ), claimed as (
    insert into private.mailbox_upkeep as u (mailbox_id, watch_due_at)
    select d.id, now() + make_interval(secs => p_lease_seconds) from due d order by d.id
    on conflict (mailbox_id) do update set watch_due_at = excluded.watch_due_at where u.watch_due_at <= now()
    returning u.mailbox_id
  )
  select coalesce(
    jsonb_agg(jsonb_build_object('mailbox_id', c.mailbox_id, 'refresh_token_encrypted', c.refresh_token_encrypted)), '[]'
  )
  from private.mailbox_credentials c
  where c.mailbox_id in (select k.mailbox_id from claimed k);
$$;
revoke execute on function public.claim_watches from public, anon, authenticated;
grant execute on function public.claim_watches to service_role;

create function public.watch_renewed(p_mailbox_id uuid, p_expires_at timestamptz) returns boolean
language sql volatile security invoker set search_path = ''
as $$
  -- False: the mailbox was disconnected meanwhile, so nobody wants the watch.
  with renewed as (
    update public.mailboxes m
    set watch_expires_at = greatest(m.watch_expires_at, p_expires_at)
    where m.id = p_mailbox_id and m.state <> 'disconnected'
    returning m.id
  ), settled as (
    update private.mailbox_upkeep u
    set watch_due_at = '-infinity', watch_failures = 0, watch_failure = null
    where u.mailbox_id in (select r.id from renewed r)
  )
  select exists (select from renewed);
$$;
revoke execute on function public.watch_renewed from public, anon, authenticated;
grant execute on function public.watch_renewed to service_role;

create function public.watch_not_renewed(p_mailbox_id uuid, p_failure text) returns void
language sql volatile security invoker set search_path = ''
as $$
  -- Left alone for a while: a quarter of an hour, then half, up to eight hours.
  update private.mailbox_upkeep u
  set watch_due_at = now() + interval '15 minutes' * 2 ^ least(u.watch_failures, 5),
    watch_failures = u.watch_failures + 1,
    watch_failure = p_failure
  where u.mailbox_id = p_mailbox_id;
$$;
revoke execute on function public.watch_not_renewed from public, anon, authenticated;
grant execute on function public.watch_not_renewed to service_role;

create function public.watches(p_within_seconds double precision) returns jsonb
language sql stable security invoker set search_path = ''
as $$
  -- Of the connected mailboxes: how many have no watch any more, how many lose theirs within a day, how many could be claimed now.
  select jsonb_build_object(
    'connected', count(*),
    'lapsed', count(*) filter (where coalesce(m.watch_expires_at, '-infinity') <= now()),
    'lapsing', count(*) filter (where m.watch_expires_at > now() and m.watch_expires_at <= now() + interval '1 day'),
    'due', count(*) filter (
      where coalesce(m.watch_expires_at, '-infinity') < now() + make_interval(secs => p_within_seconds)
        and coalesce(u.watch_due_at, '-infinity') <= now()
    )
  )
  from public.mailboxes m
  left join private.mailbox_upkeep u on u.mailbox_id = m.id
  where m.state = 'connected';
$$;
revoke execute on function public.watches from public, anon, authenticated;
grant execute on function public.watches to service_role;

-- reconciling -----------------------------------------------------------------------------------------------

create function public.claim_unread_mailboxes(p_quiet_seconds double precision, p_pause_seconds double precision, p_most integer)
returns jsonb
language sql volatile security invoker set search_path = ''
as $$
  -- Mailboxes whose history nobody has read for so long, or that have to catch up; each again after the pause at the earliest.
  with due as (
    select m.id
    from public.mailboxes m
    left join private.mailbox_upkeep u on u.mailbox_id = m.id
    where m.state = 'connected'
      and (m.history_read_at < now() - make_interval(secs => p_quiet_seconds) or m.catch_up_due)
      and coalesce(u.look_due_at, '-infinity') <= now()
    order by m.history_read_at
    limit p_most
    for no key update of m skip locked
  ), claimed as (
    insert into private.mailbox_upkeep as u (mailbox_id, look_due_at)
    select d.id, now() + make_interval(secs => p_pause_seconds) from due d order by d.id
    on conflict (mailbox_id) do update set look_due_at = excluded.look_due_at where u.look_due_at <= now()
    returning u.mailbox_id
  )
  select coalesce(
    jsonb_agg(
      jsonb_build_object('mailbox_id', m.id, 'email_address', m.email_address, 'history_id', m.history_id::text)
    ), '[]'
  )
  from public.mailboxes m
  where m.id in (select k.mailbox_id from claimed k);
$$;
revoke execute on function public.claim_unread_mailboxes from public, anon, authenticated;
grant execute on function public.claim_unread_mailboxes to service_role;

create function public.claim_waiting_emails(p_most integer) returns jsonb
language sql volatile security invoker set search_path = ''
as $$
  -- Emails that have waited in vain: `emails` to be handed on again, each later the more often it was. Those that can't be read for
  -- now are put off without counting a try; those of a disconnected mailbox, or on record after all, wait no more.
  with due as (
    select a.user_id, a.email_id, a.mailbox_id, a.tries
    from public.awaited_emails a
    where a.next_try_at <= now()
    order by a.next_try_at
    limit p_most
    for update skip locked
  ), fate as (
    select d.*,
      case
        when m.state = 'disconnected' or exists (
          select from public.processed_emails p
          where p.user_id = d.user_id and p.email_id = d.email_id and private.is_reading(p.outcome)
        ) then 'dropped'
        when m.state <> 'connected' or not coalesce(s.auto_analysis, true) then 'put_off'
        else 'handed_on'
      end as what
    from due d
    join public.mailboxes m on m.id = d.mailbox_id
    left join public.time_tracking_settings s on s.user_id = d.user_id
  ), dropped as (
    delete from public.awaited_emails a using fate f
    where a.user_id = f.user_id and a.email_id = f.email_id and f.what = 'dropped'
  ), moved as (
    update public.awaited_emails a
    set tries = f.tries + (f.what = 'handed_on')::integer,
      next_try_at = now() + case f.what when 'handed_on' then private.growing_pause(f.tries) else interval '1 hour' end
    from fate f
    where a.user_id = f.user_id and a.email_id = f.email_id and f.what <> 'dropped'
  )
  select jsonb_build_object(
    'emails', coalesce(
      jsonb_agg(jsonb_build_object('mailbox_id', f.mailbox_id, 'email_id', f.email_id)) filter (where f.what = 'handed_on'), '[]'
    ),
    'put_off', count(*) filter (where f.what = 'put_off'),
    'dropped', count(*) filter (where f.what = 'dropped')
  )
  from fate f;
$$;
revoke execute on function public.claim_waiting_emails from public, anon, authenticated;
grant execute on function public.claim_waiting_emails to service_role;

create function public.drop_disconnected_waiting(p_most integer) returns integer
language sql volatile security invoker set search_path = ''
as $$
  -- Nobody reads these any more, so nobody waits for them.
  with due as (
    select a.user_id, a.email_id
    from public.mailboxes m
    join public.awaited_emails a on a.mailbox_id = m.id
    where m.state = 'disconnected'
    limit p_most
    for update of a skip locked
  ), dropped as (
    delete from public.awaited_emails a using due d where a.user_id = d.user_id and a.email_id = d.email_id returning 1
  )
  select count(*)::integer from dropped;
$$;
revoke execute on function public.drop_disconnected_waiting from public, anon, authenticated;
grant execute on function public.drop_disconnected_waiting to service_role;

create function public.claim_stalled_rescans(p_most integer) returns jsonb
language sql volatile security invoker set search_path = ''
as $$
  -- Jobs that have lost their message: `steps` to be published again. One that has not moved after six of these is failed.
  with due as (
    select j.id, j.step
    from public.rescan_jobs j
    left join private.rescan_revivals r on r.job_id = j.id and r.step = j.step
    where private.is_under_way(j.state)
      and j.updated_at < now() - private.rescan_patience()
      and coalesce(j.leased_until, '-infinity') < now()
      and coalesce(r.due_at, '-infinity') <= now()
    order by j.updated_at
    limit p_most
    for no key update of j skip locked
  ), claimed as (
    insert into private.rescan_revivals as r (job_id, step, tries, due_at)
    select d.id, d.step, 1, now() + private.rescan_patience() from due d order by d.id
    on conflict (job_id) do update
      set step = excluded.step,
        tries = case when r.step = excluded.step then r.tries + 1 else 1 end,
        due_at = now() + private.rescan_patience() * case when r.step = excluded.step then 2 ^ least(r.tries, 5) else 1 end
      where r.step <> excluded.step or r.due_at <= now()
    returning r.job_id, r.step, r.tries
  ), given_up as (
    update public.rescan_jobs j
    set state = 'failed', failure = 'stalled', leased_until = null, updated_at = now()
    from claimed c
    where j.id = c.job_id and c.tries > 6 and j.step = c.step and private.is_under_way(j.state)
    returning j.id
  )
  select jsonb_build_object(
    'steps', coalesce(jsonb_agg(jsonb_build_object('job_id', c.job_id, 'step', c.step)) filter (where c.tries <= 6), '[]'),
    'given_up', (select count(*) from given_up)
  )
  from claimed c;
$$;
revoke execute on function public.claim_stalled_rescans from public, anon, authenticated;
grant execute on function public.claim_stalled_rescans to service_role;

-- second looks ----------------------------------------------------------------------------------------------

create function private.is_second_look_due(p_email public.processed_emails) returns boolean
language sql immutable
return p_email.second_look is not null
  and coalesce(p_email.second_look_given_up_at, '-infinity') <= p_email.processed_at;
revoke execute on function private.is_second_look_due from public;
grant execute on function private.is_second_look_due to authenticated, service_role;

create function public.claim_second_looks(p_most integer, p_most_a_user integer) returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  answer jsonb;
begin
  -- Emails whose reading the model had no say in: `emails` to be handed on again, for users who still let a model see them. What
  -- the model answers in a way that can't be used or believed is asked three times, the rest for a week; then it is given up.
  insert into private.second_looks as known (user_id, email_id, reason, read_at, due_at)
  select p.user_id, p.email_id, p.second_look, p.processed_at, p.processed_at + interval '15 minutes'
  from public.processed_emails p
  join public.mailboxes m on m.id = p.mailbox_id and m.state <> 'disconnected'
  where p.second_look is not null and private.is_second_look_due(p)
    and not exists (
      select from private.second_looks s
      where s.user_id = p.user_id and s.email_id = p.email_id and s.read_at = p.processed_at
    )
  order by p.user_id, p.email_id
  limit 10000
  on conflict (user_id, email_id) do update
    set reason = excluded.reason, read_at = excluded.read_at, tries = 0, due_at = excluded.due_at
    where known.read_at < excluded.read_at;

  with due as (
    select s.user_id, s.email_id, s.reason, s.read_at, s.tries
    from private.second_looks s
    where s.due_at <= now()
    order by s.due_at
    limit p_most
    for update skip locked
  ), fate as (
    select d.*, p.mailbox_id,
      case
        -- Read anew since: if it is due once more, it is counted anew.
        when not private.is_second_look_due(p) or p.processed_at <> d.read_at then 'settled'
        -- Nothing is written any more of what is not read any more.
        when m.state = 'disconnected' then 'settled'
        when d.reason in ('model_unusable', 'model_disbelieved') and d.tries >= 3 then 'given_up'
        when d.read_at < now() - interval '7 days' then 'given_up'
        when m.state <> 'connected' or not coalesce(t.auto_analysis, true) or t.analysis_mode = 'rules_only' then 'put_off'
        when row_number() over (partition by d.user_id order by d.tries, d.read_at) > p_most_a_user then 'put_off'
        else 'handed_on'
      end as what
    from due d
    join public.processed_emails p on p.user_id = d.user_id and p.email_id = d.email_id
    join public.mailboxes m on m.id = p.mailbox_id
    left join public.time_tracking_settings t on t.user_id = d.user_id
  ), held as (
    -- The order of locks in which analyses are recorded.
    select p.user_id, p.email_id
    from public.processed_emails p
    join fate f on f.user_id = p.user_id and f.email_id = p.email_id and f.what = 'given_up'
    order by p.user_id, p.email_id
    for no key update of p
  ), given_up as (
    -- Not settled as if the model had agreed: the reading still says that it had no say.
    update public.processed_emails p set second_look_given_up_at = now()
    from held h, fate f
    where p.user_id = h.user_id and p.email_id = h.email_id
      and f.user_id = h.user_id and f.email_id = h.email_id and p.processed_at = f.read_at
  ), removed as (
    delete from private.second_looks s using fate f
    where s.user_id = f.user_id and s.email_id = f.email_id and f.what in ('settled', 'given_up')
  ), moved as (
    update private.second_looks s
    set tries = f.tries + (f.what = 'handed_on')::integer,
      due_at = now() + case f.what when 'handed_on' then private.growing_pause(f.tries) else interval '1 hour' end
    from fate f
    where s.user_id = f.user_id and s.email_id = f.email_id and f.what in ('handed_on', 'put_off')
  )
  select jsonb_build_object(
    'emails', coalesce(
      jsonb_agg(jsonb_build_object('mailbox_id', f.mailbox_id, 'email_id', f.email_id)) filter (where f.what = 'handed_on'), '[]'
    ),
    'put_off', count(*) filter (where f.what = 'put_off'),
    'settled', count(*) filter (where f.what = 'settled'),
    'given_up', count(*) filter (where f.what = 'given_up')
  )
  into answer
  from fate f;
  return answer;
end;
$$;
revoke execute on function public.claim_second_looks from public, anon, authenticated;
grant execute on function public.claim_second_looks to service_role;

-- dead letters ----------------------------------------------------------------------------------------------

create function public.keep_dead_letters(p_letters jsonb) returns integer
language sql volatile security invoker set search_path = ''
as $$
  -- How many are kept that were not before. An address is looked up and not kept; nor is an id of an email of nobody's.
  with kept as (
    insert into private.dead_letters (
      message_id, topic, reason, replays, mailbox_id, email_id, job_id, step, correlation_id
    )
    select l.message_id, l.topic,
      case when m.id is null and j.id is null and l.reason <> 'malformed' then 'unknown' else l.reason end,
      l.replays, m.id, case when m.id is not null then l.email_id end, j.id, l.step,
      case when m.id is null and j.id is null then '' else coalesce(l.correlation_id, '') end
    from jsonb_to_recordset(p_letters) as l (
      message_id text, topic text, reason text, replays integer, email_address text, mailbox_id uuid, email_id text,
      job_id uuid, step integer, correlation_id text
    )
    left join public.mailboxes m
      on m.id = l.mailbox_id or m.email_address = lower(l.email_address) and m.state <> 'disconnected'
    left join public.rescan_jobs j on j.id = l.job_id
    on conflict (message_id) do nothing
    returning 1
  )
  select count(*)::integer from kept;
$$;
revoke execute on function public.keep_dead_letters from public, anon, authenticated;
grant execute on function public.keep_dead_letters to service_role;

create function public.kept_dead_letters(p_after text, p_most integer) returns jsonb
language sql stable security invoker set search_path = ''
as $$
  -- Those that can be published again, by message id, from the one after p_after on.
  select coalesce(jsonb_agg(to_jsonb(k) order by k.message_id), '[]')
  from (
    select d.message_id, d.topic, m.email_address, m.history_id::text as history_id, d.mailbox_id, d.email_id, d.job_id, d.step,
      d.correlation_id
    from private.dead_letters d
    left join public.mailboxes m on m.id = d.mailbox_id
    where d.message_id > p_after and (d.mailbox_id is not null or d.job_id is not null)
    order by d.message_id
    limit p_most
  ) k;
$$;
revoke execute on function public.kept_dead_letters from public, anon, authenticated;
grant execute on function public.kept_dead_letters to service_role;

create function public.forget_dead_letters(p_message_ids text[]) returns void
language sql volatile security invoker set search_path = ''
as $$
  delete from private.dead_letters d where d.message_id = any (p_message_ids);
$$;
revoke execute on function public.forget_dead_letters from public, anon, authenticated;
grant execute on function public.forget_dead_letters to service_role;

-- coverage --------------------------------------------------------------------------------------------------

create function public.emails_on_record(p_user_id uuid, p_email_ids text[]) returns jsonb
language sql stable security invoker set search_path = ''
as $$
  -- What is known of each of these emails of the user's, in numbers; `missing`: the ids of which nothing is.
  with known as (
    select l.email_id, p.outcome, p.failure, a.email_id is not null as is_awaited
    from (select distinct g.email_id from unnest(p_email_ids) as g (email_id)) l
    left join public.processed_emails p on p.user_id = p_user_id and p.email_id = l.email_id
    left join public.awaited_emails a on a.user_id = p_user_id and a.email_id = l.email_id
  )
  select jsonb_build_object(
    'with_entries', count(*) filter (where k.outcome = 'entries'),
    'without_entries', count(*) filter (where k.outcome = 'none'),
    'excluded', count(*) filter (where k.outcome = 'excluded'),
    'gone', count(*) filter (where k.outcome = 'gone'),
    'not_sent', count(*) filter (where k.outcome = 'not_sent'),
    'failed', (
      select coalesce(jsonb_object_agg(f.failure, f.emails), '{}')
      from (select n.failure, count(*) as emails from known n where n.outcome = 'failed' group by n.failure) f
    ),
    'waiting', count(*) filter (where k.outcome is null and k.is_awaited),
    'missing', coalesce(jsonb_agg(k.email_id order by k.email_id) filter (where k.outcome is null and not k.is_awaited), '[]')
  )
  from known k;
$$;
revoke execute on function public.emails_on_record from public, anon, authenticated;
grant execute on function public.emails_on_record to service_role;

-- Replaces the one of the same name: a second look that was given up is not due any more.
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

-- purging ---------------------------------------------------------------------------------------------------

create function private.stays_dismissed() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if exists (
    select from private.dismissed_entries d
    where d.user_id = new.user_id and d.email_id = new.email_id
      and (d.evidence_key = new.evidence_key or d.amount && new.amount)
  ) then
    return null;
  end if;
  return new;
end;
$$;

create trigger entries_dismissed_stay_dismissed before insert on public.time_tracking_entries
  for each row when (new.extractor <> 'person') execute function private.stays_dismissed();

create function public.purge(p_what text, p_before timestamptz, p_most integer) returns integer
language plpgsql volatile security definer
set search_path = ''
set statement_timeout = '60s'
as $$
-- Deletes at most so many of what has been of no use to anybody since p_before, the oldest first; how many these were.
-- Security definer: the functions' own role may not touch what people changed. Rows that somebody holds are left for later.
declare
  gone integer;
begin
  case p_what
    when 'entries' then
      with old as (
        select e.id from public.time_tracking_entries e
        where e.created_at < p_before and coalesce(e.edited_at, e.created_at) < p_before
          and e.processed_at < p_before and e.date_performed < (p_before at time zone 'UTC')::date
        order by e.created_at limit p_most for update skip locked
      ), changes as (
        delete from private.entry_changes c using old where c.entry_id = old.id
      )
      delete from public.time_tracking_entries e using old where e.id = old.id;
    when 'dismissed_entries' then
      with old as (
        select e.* from public.time_tracking_entries e
        where e.status = 'dismissed' and coalesce(e.edited_at, e.created_at) < p_before
        order by coalesce(e.edited_at, e.created_at) limit p_most for update skip locked
      ), remembered as (
        insert into private.dismissed_entries (user_id, email_id, evidence_key, amount, dismissed_at)
        select old.user_id, old.email_id, old.evidence_key, old.amount, coalesce(old.edited_at, old.created_at)
        from old where old.extractor <> 'person'
        on conflict do nothing
      ), changes as (
        delete from private.entry_changes c using old where c.entry_id = old.id
      )
      delete from public.time_tracking_entries e using old where e.id = old.id;
    when 'entry_changes' then
      with old as (
        select c.id from private.entry_changes c
        where c.changed_at < p_before order by c.changed_at limit p_most for update skip locked
      )
      delete from private.entry_changes c using old where c.id = old.id;
    when 'emails' then
      -- What entries are left of stays on record: else the next reading would write them again.
      with old as (
        select p.user_id, p.email_id from public.processed_emails p
        where p.processed_at < p_before and p.counted_at < p_before
          and not exists (
            select from public.time_tracking_entries e where e.user_id = p.user_id and e.email_id = p.email_id
          )
        order by p.processed_at limit p_most for update skip locked
      ), dismissed as (
        delete from private.dismissed_entries d using old where d.user_id = old.user_id and d.email_id = old.email_id
      )
      delete from public.processed_emails p using old where p.user_id = old.user_id and p.email_id = old.email_id;
    when 'rescans' then
      with old as (
        select j.id from public.rescan_jobs j
        where j.updated_at < p_before and not private.is_under_way(j.state)
        order by j.updated_at limit p_most for update skip locked
      )
      delete from public.rescan_jobs j using old where j.id = old.id;
    when 'unknown_letters' then
      -- Those that say nothing that could be published again.
      with old as (
        select d.message_id from private.dead_letters d
        where d.kept_at < p_before and d.mailbox_id is null and d.job_id is null
        order by d.kept_at limit p_most for update skip locked
      )
      delete from private.dead_letters d using old where d.message_id = old.message_id;
    else
      raise exception 'p_what: nothing of this name is purged' using errcode = 'invalid_parameter_value';
  end case;
  get diagnostics gone = row_count;
  return gone;
end;
$$;
revoke execute on function public.purge from public, anon, authenticated;
grant execute on function public.purge to service_role;
