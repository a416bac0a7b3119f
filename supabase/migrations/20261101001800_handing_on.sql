-- Handing on again: a try counts once it was published, what can't be read waits without being asked for, and while Gmail is away
-- mailboxes are asked for less and less often.

-- tables ----------------------------------------------------------------------------------------------------

alter table private.mailbox_upkeep
  add column looks integer not null default 0,
  add column looked_for_at timestamptz not null default '-infinity';
comment on column private.mailbox_upkeep.looks is 'How often a look was asked for since its history was last read.';
comment on column private.mailbox_upkeep.looked_for_at is 'When a look was last asked for.';

-- functions -------------------------------------------------------------------------------------------------

create function private.lease() returns interval
language sql immutable set search_path = ''
as $$
  -- What is claimed to be published is nobody else's for so long: much longer than publishing a claim takes.
  select interval '10 minutes';
$$;
revoke execute on function private.lease from public;
grant execute on function private.lease to service_role;

-- Replaces the one of the same name: a mailbox whose history nobody could read since is asked for later each time.
create or replace function public.claim_unread_mailboxes(p_quiet_seconds double precision, p_pause_seconds double precision, p_most integer)
returns jsonb
language sql volatile security invoker set search_path = ''
as $$
  -- Mailboxes whose history nobody has read for so long, or that have to catch up; each again after the pause at the earliest,
  -- then after twice, four times, up to an hour: the earlier messages may still be on their way.
  with due as (
    select m.id, case when u.looked_for_at >= m.history_read_at then u.looks else 0 end as looks
    from public.mailboxes m
    left join private.mailbox_upkeep u on u.mailbox_id = m.id
    where m.state = 'connected'
      and (m.history_read_at < now() - make_interval(secs => p_quiet_seconds) or m.catch_up_due)
      and coalesce(u.look_due_at, '-infinity') <= now()
    order by m.history_read_at
    limit p_most
    for no key update of m skip locked
  ), claimed as (
    insert into private.mailbox_upkeep as u (mailbox_id, look_due_at, looks, looked_for_at)
    select d.id, now() + least(make_interval(secs => p_pause_seconds) * 2 ^ least(d.looks, 10), interval '1 hour'), d.looks + 1, now()
    from due d order by d.id
    on conflict (mailbox_id) do update
      set look_due_at = excluded.look_due_at, looks = excluded.looks, looked_for_at = excluded.looked_for_at
      where u.look_due_at <= now()
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

-- waiting emails --------------------------------------------------------------------------------------------

-- Replaces the one of the same name.
create or replace function public.claim_waiting_emails(p_most integer) returns jsonb
language sql volatile security invoker set search_path = ''
as $$
  -- Emails that have waited in vain: `emails` to be handed on again, the caller's to publish for as long as a lease lasts; what
  -- was published is told to waiting_emails_handed_on. Those that can't be read for now are put off, until they can or a day
  -- has passed; those of a disconnected mailbox, or on record after all, wait no more.
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
    set next_try_at = now() + case f.what when 'handed_on' then private.lease() else interval '1 day' end
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

create function public.waiting_emails_handed_on(p_emails jsonb) returns void
language sql volatile security invoker set search_path = ''
as $$
  -- These were published: each waits for its next try, longer each time. What is on record by now waits no more, and what
  -- somebody holds is about to be.
  with held as (
    select a.user_id, a.email_id
    from jsonb_to_recordset(p_emails) as e (mailbox_id uuid, email_id text)
    join public.mailboxes m on m.id = e.mailbox_id
    join public.awaited_emails a on a.user_id = m.user_id and a.email_id = e.email_id
    for update of a skip locked
  )
  update public.awaited_emails a
  set tries = a.tries + 1, next_try_at = now() + private.growing_pause(a.tries)
  from held h
  where a.user_id = h.user_id and a.email_id = h.email_id;
$$;
revoke execute on function public.waiting_emails_handed_on from public, anon, authenticated;
grant execute on function public.waiting_emails_handed_on to service_role;

create function private.waiting_emails_can_be_read() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  -- What was put off until then is due. Security definer: users change their settings, and nothing else here. What somebody
  -- holds is being recorded or claimed.
  with put_off as (
    select a.user_id, a.email_id from public.awaited_emails a
    where a.user_id = new.user_id and a.next_try_at > now() and a.handed_on_at < now() - interval '15 minutes'
    for update skip locked
  )
  update public.awaited_emails a set next_try_at = now()
  from put_off p
  where a.user_id = p.user_id and a.email_id = p.email_id;
  return null;
end;
$$;
revoke execute on function private.waiting_emails_can_be_read from public, anon, authenticated, service_role;

create trigger settings_that_let_mail_be_read after update of auto_analysis on public.time_tracking_settings
  for each row when (new.auto_analysis and not old.auto_analysis) execute function private.waiting_emails_can_be_read();
create trigger mailboxes_that_can_be_read_again after update of state on public.mailboxes
  for each row when (new.state = 'connected' and old.state <> 'connected') execute function private.waiting_emails_can_be_read();

-- second looks ----------------------------------------------------------------------------------------------

-- Replaces the one of the same name.
create or replace function public.claim_second_looks(p_most integer, p_most_a_user integer) returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  answer jsonb;
begin
  -- Emails whose reading the model had no say in: `emails` to be handed on again, the caller's to publish for as long as a lease
  -- lasts, for users who still let a model see them; what was published is told to second_looks_handed_on. What the model answers
  -- in a way that can't be used or believed is asked three times, the rest for a week; then it is given up.
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
    set due_at = now() + case f.what when 'handed_on' then private.lease() else interval '1 hour' end
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

create function public.second_looks_handed_on(p_emails jsonb) returns void
language sql volatile security invoker set search_path = ''
as $$
  -- These were published: each waits for its next try, longer each time. What was settled meanwhile waits no more.
  with held as (
    select s.user_id, s.email_id
    from jsonb_to_recordset(p_emails) as e (mailbox_id uuid, email_id text)
    join public.mailboxes m on m.id = e.mailbox_id
    join private.second_looks s on s.user_id = m.user_id and s.email_id = e.email_id
    for update of s skip locked
  )
  update private.second_looks s
  set tries = s.tries + 1, due_at = now() + private.growing_pause(s.tries)
  from held h
  where s.user_id = h.user_id and s.email_id = h.email_id;
$$;
revoke execute on function public.second_looks_handed_on from public, anon, authenticated;
grant execute on function public.second_looks_handed_on to service_role;
