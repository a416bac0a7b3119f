-- Nothing is awaited of a disconnected mailbox: a push that read it as connected can come to hand on after it was disconnected.

-- functions -------------------------------------------------------------------------------------------------

-- Replaces the one of the same name.
create or replace function public.await_analysis(p_mailbox_id uuid, p_email_ids text[]) returns void
language sql volatile security invoker set search_path = ''
as $$
  -- Those that were read wait for nothing; those that failed do. An email keeps the time at which it was first handed on.
  -- One order of locks, so that two calls that share emails can't block each other for ever. Key share: it waits for who
  -- disconnects, who then finds what was handed on before, and for nobody who moves a watermark.
  with read_on as (
    select m.id, m.user_id
    from public.mailboxes m
    where m.id = p_mailbox_id and m.state <> 'disconnected'
    for key share
  )
  insert into public.awaited_emails (user_id, mailbox_id, email_id)
  select m.user_id, m.id, given.email_id
  from read_on m
  cross join unnest(p_email_ids) as given (email_id)
  where not exists (
    select from public.processed_emails p
    where p.user_id = m.user_id and p.email_id = given.email_id and private.is_reading(p.outcome)
  )
  order by given.email_id
  on conflict (user_id, email_id) do nothing;
$$;
