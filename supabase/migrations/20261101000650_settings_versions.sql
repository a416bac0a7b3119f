-- Which change of settings makes a reading of an email old, and which doesn't; changing settings in one call.

-- columns ---------------------------------------------------------------------------------------------------

alter table public.time_tracking_settings
  add column analysis_version integer not null default 0,
  add column default_client_matter text;
-- Readings of before were made under `version`: from there on.
update public.time_tracking_settings set analysis_version = version;
comment on column public.time_tracking_settings.analysis_version is
  'Rises when emails would be read differently from now on: time zone, what a model may see, what is left out, the directory.'
  ' Not with rounding or rates: they are kept with each entry. An analysis keeps the version it was made under.';
comment on column public.time_tracking_settings.version is 'Rises with every change, whatever it is.';
comment on column public.time_tracking_settings.default_client_matter is
  'The client or matter of an entry whose email tells none. Null: such an entry has none.';

-- constraints -----------------------------------------------------------------------------------------------

alter table public.time_tracking_settings
  add constraint settings_default_client_matter_is_short check (length(default_client_matter) between 1 and 200);

-- rights ----------------------------------------------------------------------------------------------------

grant insert (default_client_matter), update (default_client_matter) on public.time_tracking_settings to authenticated;

-- functions -------------------------------------------------------------------------------------------------

create function private.reading_settings(p_settings public.time_tracking_settings) returns jsonb
language sql immutable set search_path = ''
as $$
  -- What a reading of an email depends on.
  select jsonb_build_array(
    p_settings.time_zone, p_settings.analysis_mode, p_settings.minimum_confidence, p_settings.excluded_recipients,
    p_settings.excluded_labels, p_settings.default_client_matter
  );
$$;
grant execute on function private.reading_settings to authenticated, service_role;

create or replace function private.raise_settings_version() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  if private.reading_settings(new) <> private.reading_settings(old) then
    new.analysis_version := old.analysis_version + 1;
  end if;
  return new;
end;
$$;

create function private.first_analysis_version() returns trigger
language plpgsql set search_path = ''
as $$
begin
  -- Who sets what holds anyway changes no reading: those without settings are read under the defaults, version 0.
  if private.reading_settings(new) <> jsonb_build_array(null, 'snippets', 0::numeric(4, 3), '{}'::text[], '{}'::text[], null) then
    new.analysis_version := greatest(new.analysis_version, 1);
  end if;
  return new;
end;
$$;

create trigger settings_begin_with_a_version before insert on public.time_tracking_settings
  for each row execute function private.first_analysis_version();

create function private.directory_changed(p_users uuid[]) returns void
language sql volatile security definer set search_path = ''
as $$
  -- Security definer: users may change their directory, but no version of anything.
  insert into public.time_tracking_settings as s (user_id, analysis_version)
  select u.id, 1 from auth.users u where u.id = any (p_users)  -- a user who is being deleted needs none
  on conflict (user_id) do update set analysis_version = s.analysis_version + 1;
$$;
revoke execute on function private.directory_changed from public;

create function private.matters_added() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.directory_changed((select array_agg(distinct a.user_id) from added a));
  return null;
end;
$$;
create function private.matters_removed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.directory_changed((select array_agg(distinct r.user_id) from removed r));
  return null;
end;
$$;
create function private.matters_changed() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  -- Not for a rate: that is kept with each entry.
  perform private.directory_changed((
    select array_agg(distinct a.user_id)
    from added a join removed r on r.id = a.id
    where (a.client, a.matter, a.aliases, a.domains) is distinct from (r.client, r.matter, r.aliases, r.domains)
  ));
  return null;
end;
$$;

create trigger matters_added_change_readings after insert on public.matters
  referencing new table as added for each statement execute function private.matters_added();
create trigger matters_removed_change_readings after delete on public.matters
  referencing old table as removed for each statement execute function private.matters_removed();
create trigger matters_changed_change_readings after update on public.matters
  referencing new table as added old table as removed for each statement execute function private.matters_changed();

create function public.change_configuration(p_changes jsonb, p_matters jsonb, p_removed_matters jsonb)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  asking constant uuid := (select auth.uid());
  given public.time_tracking_settings;
begin
  -- All or nothing. What p_changes doesn't name stays; a null that it names is a null.
  if p_changes <> '{}' then
    insert into public.time_tracking_settings (user_id) values (asking) on conflict (user_id) do nothing;
    -- Locked: of two changes at the same time, neither must put back what the other changed.
    select (jsonb_populate_record(s, p_changes)).* into given
    from public.time_tracking_settings s where s.user_id = asking for update;
    update public.time_tracking_settings s
    set time_zone = given.time_zone,
      rounding_increment = given.rounding_increment,
      rounding_mode = given.rounding_mode,
      rounding_scope = given.rounding_scope,
      rounding_minimum = given.rounding_minimum,
      rate_category = given.rate_category,
      hourly_rate = given.hourly_rate,
      analysis_mode = given.analysis_mode,
      minimum_confidence = given.minimum_confidence,
      auto_analysis = given.auto_analysis,
      excluded_recipients = given.excluded_recipients,
      excluded_labels = given.excluded_labels,
      default_client_matter = given.default_client_matter
    where s.user_id = asking;
  end if;

  delete from public.matters m
  using jsonb_to_recordset(p_removed_matters) as gone (client text, matter text)
  where m.user_id = asking and m.client = gone.client and m.matter is not distinct from gone.matter;

  insert into public.matters as m (user_id, client, matter, aliases, domains, rate_category, hourly_rate)
  select asking, n.client, n.matter, n.aliases, n.domains, n.rate_category, n.hourly_rate
  from jsonb_to_recordset(p_matters) as n (
    client text, matter text, aliases text[], domains text[], rate_category text, hourly_rate numeric
  )
  on conflict (user_id, client, matter) do update
    set aliases = excluded.aliases, domains = excluded.domains,
      rate_category = excluded.rate_category, hourly_rate = excluded.hourly_rate
    where (m.aliases, m.domains, m.rate_category, m.hourly_rate)
      is distinct from (excluded.aliases, excluded.domains, excluded.rate_category, excluded.hourly_rate);

  return jsonb_build_object(
    'settings', (select to_jsonb(s) from public.time_tracking_settings s where s.user_id = asking),
    'matters', (
      select coalesce(jsonb_agg(to_jsonb(d) order by d.client, d.matter), '[]')
      from public.matters d where d.user_id = asking
    )
  );
end;
$$;
revoke execute on function public.change_configuration from public, anon, authenticated;
grant execute on function public.change_configuration to authenticated;

create function public.timekeeper_context(p_user_id uuid)
returns jsonb
language sql stable security invoker set search_path = ''
as $$
  -- All that the tools need to know of a user, in one call.
  select jsonb_build_object(
    'user_id', p_user_id,
    'settings', (select to_jsonb(s) from public.time_tracking_settings s where s.user_id = p_user_id),
    'matters', (
      select coalesce(jsonb_agg(to_jsonb(d) order by d.client, d.matter), '[]')
      from public.matters d where d.user_id = p_user_id
    ),
    'mailboxes', (
      select coalesce(
        jsonb_agg(
          jsonb_build_object('id', m.id, 'state', m.state, 'refresh_token_encrypted', c.refresh_token_encrypted)
          order by m.connected_at, m.id
        ), '[]'
      )
      from public.mailboxes m
      join private.mailbox_credentials c on c.mailbox_id = m.id
      where m.user_id = p_user_id and m.state <> 'disconnected'
    )
  );
$$;
revoke execute on function public.timekeeper_context from public, anon, authenticated;
grant execute on function public.timekeeper_context to service_role;

create function public.analysis_mode_of(p_user_id uuid)
returns public.analysis_mode
language sql stable security invoker set search_path = ''
as $$
  -- What a model may see right now: asked again just before it is shown anything.
  select coalesce(
    (select s.analysis_mode from public.time_tracking_settings s where s.user_id = p_user_id), 'snippets'
  );
$$;
revoke execute on function public.analysis_mode_of from public, anon, authenticated;
grant execute on function public.analysis_mode_of to service_role;

drop function public.emails_to_analyse(uuid, text[], integer);
create function public.emails_to_analyse(
  p_mailbox_id uuid, p_email_ids text[], p_analyser_version integer,
  p_settings_version integer default 0, p_second_looks boolean default true
) returns setof text
language sql stable security invoker set search_path = ''
as $$
  -- In the order given, those that no analyser of this version or a later one has read under these settings or later
  -- ones, or not for good. What can't be read at all is not read again by the same analyser, where one is named.
  select listed.email_id
  from unnest(p_email_ids) with ordinality as listed (email_id, place)
  where not exists (
    select from public.processed_emails p
    join public.mailboxes m on m.id = p_mailbox_id and m.user_id = p.user_id
    where p.email_id = listed.email_id
      and (private.is_reading(p.outcome) or p_analyser_version > 0 and p.failure in ('unreadable', 'analyser_error'))
      and p.analyser_version >= p_analyser_version
      and p.settings_version >= p_settings_version
      and (p.second_look is null or not p_second_looks)
  )
  order by listed.place;
$$;
revoke execute on function public.emails_to_analyse from public, anon, authenticated;
grant execute on function public.emails_to_analyse to service_role;
