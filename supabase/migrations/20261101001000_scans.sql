-- What a scan lists of what it found, and by which client it may be narrowed.

-- functions -------------------------------------------------------------------------------------------------

create function public.found_in_emails(p_email_ids text[], p_client text default null)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  -- As the user: row level security leaves their own. One document, since the API may cut a list of rows short.
  select jsonb_build_object(
    'entries', (
      select coalesce(jsonb_agg(to_jsonb(e) order by e.date_performed desc, e.email_id, e.amount, e.id), '[]')
      from public.time_tracking_entries e
      where e.user_id = (select auth.uid()) and e.email_id = any (p_email_ids) and e.status <> 'dismissed'
        and (p_client is null or private.is_about(p_client, e.client_matter, e.matter_id))
    ),
    'failures', (
      select coalesce(jsonb_object_agg(p.email_id, p.failure), '{}')
      from public.processed_emails p
      where p.user_id = (select auth.uid()) and p.email_id = any (p_email_ids) and p.outcome = 'failed'
    )
  );
$$;
revoke execute on function public.found_in_emails from public, anon, authenticated;
grant execute on function public.found_in_emails to authenticated;

create function public.knows_client(p_client text)
returns boolean
language sql stable security invoker set search_path = ''
as $$
  -- Whether any entry or any line of the directory is about this client or matter.
  select exists (select from public.known_clients() as known (name) where private.is_about(p_client, known.name, null))
    or exists (
      select from public.matters m
      where m.user_id = (select auth.uid()) and private.is_about(p_client, null, m.id)
    );
$$;
revoke execute on function public.knows_client from public, anon, authenticated;
grant execute on function public.knows_client to authenticated;
