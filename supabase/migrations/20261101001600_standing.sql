-- How things stand, in numbers, for whoever runs the system: nobody's in particular.

create function public.standing() returns jsonb
language sql stable security definer set search_path = ''
as $$
  -- As its owner: the tables behind are no role's to read, and what comes out are numbers.
  with mailboxes as (
    select
      count(*) filter (where m.state = 'connected') as connected,
      count(*) filter (where m.state = 'reconnect_needed') as reconnect_needed,
      count(*) filter (where m.state = 'disconnected') as disconnected,
      count(*) filter (where m.state = 'connected' and coalesce(m.watch_expires_at, '-infinity') <= now()) as lapsed,
      count(*) filter (
        where m.state = 'connected' and m.watch_expires_at > now() and m.watch_expires_at <= now() + interval '1 day'
      ) as lapsing
    from public.mailboxes m
  ), waiting as (
    -- As claim_waiting_emails sees them: those that can't be read for now, by their owner's choice, wait for nobody.
    select count(*) as emails, min(a.handed_on_at) as since
    from public.awaited_emails a
    join public.mailboxes m on m.id = a.mailbox_id
    left join public.time_tracking_settings s on s.user_id = a.user_id
    where m.state = 'connected' and coalesce(s.auto_analysis, true) and not exists (
      select from public.processed_emails p
      where p.user_id = a.user_id and p.email_id = a.email_id and private.is_reading(p.outcome)
    )
  )
  select jsonb_build_object(
    'mailboxes', jsonb_build_object(
      'connected', mailboxes.connected,
      'reconnect_needed', mailboxes.reconnect_needed,
      'disconnected', mailboxes.disconnected
    ),
    'watches_lapsed', mailboxes.lapsed,
    'watches_lapsing', mailboxes.lapsing,
    'emails_waiting', waiting.emails,
    'oldest_waiting_seconds', coalesce(extract(epoch from now() - waiting.since), 0),
    'dead_letters_kept', (select count(*) from private.dead_letters),
    'second_looks_due', (select count(*) from public.processed_emails p where private.is_second_look_due(p)),
    -- A view that nothing has changed since is as good as new.
    'summaries_age_seconds', case
      when exists (select from private.summary_changes)
      then (select extract(epoch from now() - r.refreshed_at) from private.summary_refreshes r)
      else 0
    end
  )
  from mailboxes, waiting;
$$;
revoke execute on function public.standing from public, anon, authenticated;
grant execute on function public.standing to service_role;
