-- How a timekeeper wants time found and rounded, and the directory of clients and matters.

-- types -----------------------------------------------------------------------------------------------------

create type public.rounding_mode as enum ('up', 'nearest', 'more_than_half');
create type public.rounding_scope as enum ('entry', 'matter_day');
create type public.analysis_mode as enum ('rules_only', 'snippets', 'full');

-- tables ----------------------------------------------------------------------------------------------------

create table public.time_tracking_settings (
  user_id uuid primary key references auth.users (id) on delete cascade,
  version integer not null default 1,
  time_zone text,
  rounding_increment smallint not null default 6,
  rounding_mode public.rounding_mode not null default 'up',
  rounding_scope public.rounding_scope not null default 'entry',
  rounding_minimum smallint not null default 0,
  rate_category text,
  hourly_rate numeric(10, 2),
  analysis_mode public.analysis_mode not null default 'snippets',
  minimum_confidence numeric(4, 3) not null default 0,
  auto_analysis boolean not null default true,
  excluded_recipients text[] not null default '{}',
  excluded_labels text[] not null default '{}',
  updated_at timestamptz not null default now()
);
comment on column public.time_tracking_settings.time_zone is
  'IANA name; days are the user''s days. Null: the offset that each email''s own Date carries.';
comment on column public.time_tracking_settings.version is
  'Rises with every change; an analysis keeps the version it was made under.';

create table public.matters (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  client text not null,
  matter text,
  aliases text[] not null default '{}',
  domains text[] not null default '{}',
  rate_category text,
  hourly_rate numeric(10, 2),
  created_at timestamptz not null default now()
);
comment on table public.matters is 'Directory of clients and matters: what attribution recognises by name, alias or mail domain.';

-- constraints -----------------------------------------------------------------------------------------------

create function private.is_time_zone(p_name text) returns boolean
language sql immutable set search_path = ''
as $$
  -- By its exact IANA name: Postgres itself would also take abbreviations and names in any case, which others don't.
  select exists (select from pg_catalog.pg_timezone_names z where z.name = p_name and z.name !~ '^(posix|right)/');
$$;
grant execute on function private.is_time_zone to authenticated, service_role;
grant usage on schema private to authenticated;

alter table public.time_tracking_settings
  add constraint settings_time_zone_exists check (time_zone is null or private.is_time_zone(time_zone)),
  add constraint settings_rounding_increment_divides_an_hour
    check (rounding_increment between 1 and 60 and 60 % rounding_increment = 0),
  add constraint settings_rounding_minimum_is_minutes check (rounding_minimum between 0 and 60),
  add constraint settings_hourly_rate_is_an_amount check (hourly_rate >= 0 and hourly_rate < 'Infinity'),
  add constraint settings_lists_hold_no_null
    check (array_position(excluded_recipients, null) is null and array_position(excluded_labels, null) is null),
  add constraint settings_rate_category_is_short check (length(rate_category) <= 50),
  add constraint settings_minimum_confidence_is_a_share check (minimum_confidence between 0 and 1);

alter table public.matters
  add constraint matters_client_has_a_name check (length(client) between 1 and 200),
  add constraint matters_matter_is_short check (length(matter) <= 200),
  add constraint matters_rate_category_is_short check (length(rate_category) <= 50),
  add constraint matters_hourly_rate_is_an_amount check (hourly_rate >= 0 and hourly_rate < 'Infinity'),
  add constraint matters_lists_hold_no_null
    check (array_position(aliases, null) is null and array_position(domains, null) is null),
  add constraint matters_are_listed_once unique nulls not distinct (user_id, client, matter);

-- rights ----------------------------------------------------------------------------------------------------

alter table public.time_tracking_settings enable row level security;
alter table public.matters enable row level security;
revoke all on public.time_tracking_settings, public.matters from anon, authenticated;
-- Settings are changed, never deleted: their version has to rise.
grant select on public.time_tracking_settings to authenticated;
grant select, delete on public.matters to authenticated;
grant insert (
  user_id, time_zone, rounding_increment, rounding_mode, rounding_scope, rounding_minimum, rate_category, hourly_rate,
  analysis_mode, minimum_confidence, auto_analysis, excluded_recipients, excluded_labels
) on public.time_tracking_settings to authenticated;
grant update (
  time_zone, rounding_increment, rounding_mode, rounding_scope, rounding_minimum, rate_category, hourly_rate,
  analysis_mode, minimum_confidence, auto_analysis, excluded_recipients, excluded_labels
) on public.time_tracking_settings to authenticated;
grant insert (user_id, client, matter, aliases, domains, rate_category, hourly_rate) on public.matters to authenticated;
grant update (client, matter, aliases, domains, rate_category, hourly_rate) on public.matters to authenticated;
grant select, insert, update, delete on public.time_tracking_settings, public.matters to service_role;

create policy "Users see their own settings" on public.time_tracking_settings
  for select to authenticated using ((select auth.uid()) = user_id);
create policy "Users make their own settings" on public.time_tracking_settings
  for insert to authenticated with check ((select auth.uid()) = user_id);
create policy "Users change their own settings" on public.time_tracking_settings
  for update to authenticated using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);

create policy "Users see their own matters" on public.matters
  for select to authenticated using ((select auth.uid()) = user_id);
create policy "Users list their own matters" on public.matters
  for insert to authenticated with check ((select auth.uid()) = user_id);
create policy "Users change their own matters" on public.matters
  for update to authenticated using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);
create policy "Users remove their own matters" on public.matters
  for delete to authenticated using ((select auth.uid()) = user_id);

-- functions -------------------------------------------------------------------------------------------------

create function private.raise_settings_version() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end;
$$;

create trigger settings_version_rises before update on public.time_tracking_settings
  for each row when (new is distinct from old) execute function private.raise_settings_version();
