-- What is stored about a user: shown to them row by row, and deleted for good.

-- where it lies ---------------------------------------------------------------------------------------------

create function private.tables_about_users() returns table (about regclass, by_mailbox boolean)
language sql stable set search_path = ''
as $$
  -- Read from the catalog, so that a table made later is not forgotten: each that names a user or, else, a mailbox. In an
  -- order in which nothing is written anew by what is deleted, and a writer that is under way is seen or refused:
  -- a reading of an email waits for its row here, and its entries are there once that is gone; a removed matter
  -- touches the settings; what hangs on a mailbox goes before it.
  select c.oid::regclass, not bool_or(a.attname = 'user_id')
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
    and a.attname in ('user_id', 'mailbox_id')
    -- A log of days for the next refresh of the summaries, which is what takes the user's sums out of their view.
    and c.oid <> 'private.summary_changes'::regclass
  group by c.oid
  order by
    c.oid = 'public.mailboxes'::regclass,
    c.oid = 'public.time_tracking_settings'::regclass,
    c.oid = 'public.matters'::regclass,
    c.oid <> 'public.processed_emails'::regclass,
    c.oid <> 'public.time_tracking_entries'::regclass,
    c.oid::regclass::text;
$$;
revoke execute on function private.tables_about_users from public;

create function private.full_name(p_table regclass) returns text
language sql stable set search_path = ''
as $$
  -- schema.table, fit to be put into a statement.
  select format('%I.%I', n.nspname, c.relname)
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = p_table;
$$;
revoke execute on function private.full_name from public;

-- showing ---------------------------------------------------------------------------------------------------

create function private.page_of_rows(p_user_id uuid, p_table text, p_after text, p_most integer) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  key constant text := case p_table
    when 'mailboxes' then 'id'
    when 'time_tracking_settings' then 'user_id'
    when 'matters' then 'id'
    when 'time_tracking_entries' then 'id'
    when 'processed_emails' then 'email_id'
    when 'awaited_emails' then 'email_id'
    when 'rescan_jobs' then 'id'
  end;
  rows jsonb;
begin
  -- {rows, next}: one page in the order of the key, after the key `p_after`; `next` null: it was the last.
  if key is null then
    raise exception 'p_table: no such table' using errcode = 'invalid_parameter_value';
  elsif p_most not between 1 and 1000 then
    raise exception 'p_most: 1 to 1000' using errcode = 'invalid_parameter_value';
  end if;
  execute format(
    'select coalesce(jsonb_agg(to_jsonb(page)), ''[]'') from (
       select * from public.%1$I t where t.user_id = $1 and ($2 is null or t.%2$I > $2::%3$s) order by t.%2$I limit $3
     ) page', p_table, key, case key when 'email_id' then 'text' else 'uuid' end
  ) into rows using p_user_id, p_after, p_most;
  return jsonb_build_object(
    'rows', rows, 'next', case when jsonb_array_length(rows) = p_most then rows -> -1 ->> key end
  );
end;
$$;
revoke execute on function private.page_of_rows from public;
grant execute on function private.page_of_rows to authenticated;

create function private.page_of_hidden_rows(p_user_id uuid, p_table text, p_after text, p_most integer) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
declare
  key constant text := case p_table
    when 'entry_changes' then 't.id'
    when 'dismissed_entries' then 't.email_id || '' '' || t.evidence_key'
    when 'second_looks' then 't.email_id'
    when 'dead_letters' then 't.message_id'
    when 'mailbox_upkeep' then 't.mailbox_id'
  end;
  kind constant text := case p_table when 'entry_changes' then 'bigint' when 'mailbox_upkeep' then 'uuid' else 'text' end;
  rows jsonb;
  last_key text;
begin
  -- The same for what row level security shows nobody, and for the user's own line in Supabase's auth.
  if p_table = 'auth.users' then
    select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'email', u.email, 'created_at', u.created_at)), '[]')
    into rows from auth.users u where u.id = p_user_id and p_after is null;
    return jsonb_build_object('rows', rows, 'next', null);
  elsif key is null then
    raise exception 'p_table: no such table' using errcode = 'invalid_parameter_value';
  elsif p_most not between 1 and 1000 then
    raise exception 'p_most: 1 to 1000' using errcode = 'invalid_parameter_value';
  end if;
  execute format(
    'select coalesce(jsonb_agg(page.shown), ''[]''), (array_agg(page.key order by page.key desc))[1]::text from (
       select to_jsonb(t) as shown, %2$s as key from private.%1$I t
       where %4$s and ($2 is null or %2$s > $2::%3$s) order by %2$s limit $3
     ) page',
    p_table, key, kind,
    case p_table
      when 'dead_letters' then
        '(t.mailbox_id in (select m.id from public.mailboxes m where m.user_id = $1)
          or t.job_id in (select j.id from public.rescan_jobs j where j.user_id = $1))'
      when 'mailbox_upkeep' then 't.mailbox_id in (select m.id from public.mailboxes m where m.user_id = $1)'
      else 't.user_id = $1'
    end
  ) into rows, last_key using p_user_id, p_after, p_most;
  return jsonb_build_object('rows', rows, 'next', case when jsonb_array_length(rows) = p_most then last_key end);
end;
$$;
revoke execute on function private.page_of_hidden_rows from public;

create function public.my_rows(p_table text, p_after text, p_most integer) returns jsonb
language sql stable security invoker set search_path = ''
as $$
  -- As the user: row level security leaves their own.
  select private.page_of_rows((select auth.uid()), p_table, p_after, p_most);
$$;
revoke execute on function public.my_rows from public, anon, service_role;
grant execute on function public.my_rows to authenticated;

create function public.my_hidden_rows(p_table text, p_after text, p_most integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select private.page_of_hidden_rows(private.asking(), p_table, p_after, p_most);
$$;
revoke execute on function public.my_hidden_rows from public, anon, service_role;
grant execute on function public.my_hidden_rows to authenticated;

create function public.rows_of_user(p_user_id uuid, p_table text, p_after text, p_most integer, p_hidden boolean) returns jsonb
language sql stable security definer set search_path = ''
as $$
  -- Both for an operator whom the user has asked.
  select case when p_hidden
    then private.page_of_hidden_rows(p_user_id, p_table, p_after, p_most)
    else private.page_of_rows(p_user_id, p_table, p_after, p_most)
  end;
$$;
revoke execute on function public.rows_of_user from public, anon, authenticated;
grant execute on function public.rows_of_user to service_role;

-- deleting --------------------------------------------------------------------------------------------------

create function public.erase_user_data(p_user_id uuid, p_without_google boolean default false) returns jsonb
language plpgsql volatile security definer
set search_path = ''
set statement_timeout = '5min'
as $$
declare
  place record;
  gone bigint;
  deleted jsonb := '{}';
  still_open uuid[];
begin
  -- {verdict: erased, deleted: {table: rows}}, or {verdict: connected, mailbox_ids}: Google still lets us into these.
  -- Locked first: whoever connects a mailbox or records an email now has come before, or comes after.
  perform pg_advisory_xact_lock(hashtextextended(p_user_id::text, 0));
  perform from public.mailboxes m where m.user_id = p_user_id order by m.id for update;
  select array_agg(m.id order by m.id) into still_open
  from public.mailboxes m join private.mailbox_credentials c on c.mailbox_id = m.id
  where m.user_id = p_user_id;
  if still_open is not null and not p_without_google then
    return jsonb_build_object('verdict', 'connected', 'mailbox_ids', to_jsonb(still_open));
  end if;
  for place in select t.about, t.by_mailbox from private.tables_about_users() t loop
    execute format(
      case when place.by_mailbox
        then 'delete from %s where mailbox_id in (select m.id from public.mailboxes m where m.user_id = $1)'
        else 'delete from %s where user_id = $1'
      end, private.full_name(place.about)
    ) using p_user_id;
    get diagnostics gone = row_count;
    if gone > 0 then
      deleted := deleted || jsonb_build_object(private.full_name(place.about), gone);
    end if;
  end loop;
  return jsonb_build_object('verdict', 'erased', 'deleted', deleted);
end;
$$;
revoke execute on function public.erase_user_data from public, anon, authenticated;
grant execute on function public.erase_user_data to service_role;

create function public.left_of_user(p_user_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
set statement_timeout = '1min'
as $$
declare
  place record;
  counted bigint;
  found_rows jsonb := '{}';
begin
  -- {table: rows}: what there is of a user, their sums in the summaries' view and its log among it; {}: nothing.
  for place in
    select private.full_name(t.about) as about, t.by_mailbox from private.tables_about_users() t
    union all values ('private.summary_changes', false), ('private.time_summaries', false)
  loop
    execute format(
      case when place.by_mailbox
        then 'select count(*) from %s where mailbox_id in (select m.id from public.mailboxes m where m.user_id = $1)'
        else 'select count(*) from %s where user_id = $1'
      end, place.about
    ) into counted using p_user_id;
    if counted > 0 then
      found_rows := found_rows || jsonb_build_object(place.about, counted);
    end if;
  end loop;
  return found_rows;
end;
$$;
revoke execute on function public.left_of_user from public, anon, authenticated;
grant execute on function public.left_of_user to service_role;

-- rights that were wider than they had to be ----------------------------------------------------------------

-- Called by triggers only; as the functions of all others who have their owner's rights.
revoke execute on function private.matters_added, private.matters_removed, private.matters_changed from public;
-- Called with a user's token only.
revoke execute on function public.change_configuration, public.found_in_emails, public.knows_client from service_role;
