-- Summaries: what a timekeeper's entries come to, by client, type, day and status, fast and never out of date.
--
-- A materialized view holds the sums as of the last refresh; a log names the days changed since. An answer takes those days
-- from the entries and all others from the view, in one snapshot. So it equals the live aggregate, however old the view is.

-- No entry may change between the filling of the view and the triggers' first sight of it.
-- In a block: the Supabase CLI sends a migration as one pipeline, where a lock by itself is refused.
do $$ begin lock table public.time_tracking_entries in share row exclusive mode; end $$;

-- what an entry comes to ------------------------------------------------------------------------------------

-- Replaces the one of the same name: the same minutes, a thirtieth of the time. A body in this form finds its names when
-- it is made, so that it needs no search_path of its own, and Postgres can put it in place of the call.
create or replace function private.billed_minutes(
  p_minutes numeric, p_increment integer, p_mode public.rounding_mode, p_scope public.rounding_scope, p_minimum integer
) returns numeric
language sql immutable
-- With scope matter_day nothing is rounded here: the raw minutes of a matter's day are summed, then rounded once.
return case
  when p_scope = 'matter_day' or p_minutes = 0 then p_minutes
  else greatest(
    p_minimum,
    p_increment * case p_mode
      when 'up' then ceil(p_minutes / p_increment)
      when 'nearest' then floor(p_minutes / p_increment + 0.5)
      when 'more_than_half' then ceil(p_minutes / p_increment - 0.5)
    end
  )
end;

-- Summing up everyone's days must not fail over one of them.
alter table public.time_tracking_entries
  add constraint entries_rounding_increment_is_minutes check (rounding_increment between 1 and 60);

create view private.billed_entries as
-- Each entry with what is billed of it. Minutes are whole hundredths here: their sums are exact, and quick. Null and the
-- zero id don't compare, which would make every refresh of the view below write all its rows anew.
select e.user_id, e.date_performed, coalesce(e.client_matter, '') collate "C" as client_matter,
  coalesce(e.matter_id, '00000000-0000-0000-0000-000000000000') as matter_id,
  e.entry_type, e.status, e.billable,
  (e.duration_minutes * 100)::integer as said,
  case when e.status = 'dismissed' then 0 else (e.billed_minutes * 100)::bigint end as billed
from public.time_tracking_entries e
where not (e.rounding_scope = 'matter_day' and e.billable and e.status <> 'dismissed')
union all
-- A matter's day is summed, rounded once, and shared out by raw minutes: each entry gets what the rounded share of all up to
-- it is above that of all before it. So the shares add up to the day, whichever way they are grouped.
select d.user_id, d.date_performed, d.client_matter, d.matter_id, d.entry_type, d.status, d.billable, d.said,
  case when d.day_said = 0 then 0
    else div(2 * d.day_billed * d.up_to_it + d.day_said, 2 * d.day_said)
      - div(2 * d.day_billed * (d.up_to_it - d.said) + d.day_said, 2 * d.day_said)
  end::bigint
from (
  select s.*,
    100 * private.billed_minutes(
      s.day_said / 100.0, s.rounding_increment, s.rounding_mode, 'entry', s.rounding_minimum
    ) as day_billed
  from (
    select r.*, sum(r.said) over matter_day as day_said, sum(r.said) over in_order as up_to_it
    from (
      select e.id, e.user_id, e.date_performed, coalesce(e.client_matter, '') collate "C" as client_matter,
        coalesce(e.matter_id, '00000000-0000-0000-0000-000000000000') as matter_id,
        e.entry_type, e.status, e.billable, (e.duration_minutes * 100)::integer as said,
        e.rounding_increment, e.rounding_mode, e.rounding_minimum
      from public.time_tracking_entries e
      where e.rounding_scope = 'matter_day' and e.billable and e.status <> 'dismissed'
    ) r
    window matter_day as (
        partition by r.user_id, r.date_performed, r.client_matter, r.rounding_increment, r.rounding_mode, r.rounding_minimum
      ),
      in_order as (matter_day order by r.entry_type, r.status, r.matter_id, r.id rows unbounded preceding)
  ) s
) d;

-- the view --------------------------------------------------------------------------------------------------

create materialized view private.time_summaries
  -- Vacuumed early: an index alone answers for pages that are known to hold nothing but what everyone sees.
  with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01)
as
select b.user_id, b.date_performed, b.client_matter, b.matter_id, b.entry_type, b.status, b.billable,
  count(*)::integer as entries, sum(b.said)::bigint as said, sum(b.billed)::bigint as billed
from private.billed_entries b
group by b.user_id, b.date_performed, b.client_matter, b.matter_id, b.entry_type, b.status, b.billable
-- In this order a refresh finds its rows sorted already, when it looks for doubles: a third of its time.
order by b.user_id, b.date_performed, b.client_matter, b.matter_id, b.entry_type, b.status, b.billable;
comment on materialized view private.time_summaries is
  'As of the last refresh. In hundredths of a minute; client_matter '''' and the zero matter_id stand for none.';

-- Unique for REFRESH … CONCURRENTLY; and all that a summary needs, so that a user's year is some 20 pages side by side.
create unique index time_summaries_by_day on private.time_summaries (
  user_id, date_performed, client_matter, matter_id, entry_type, status, billable
) include (entries, said, billed);

-- tables ----------------------------------------------------------------------------------------------------

create table private.summary_changes (
  user_id uuid not null,
  date_performed date not null
);
comment on table private.summary_changes is
  'Days with entries changed since the last refresh, once for each statement that changed them. Nothing unique and no foreign'
  ' key: whoever writes entries waits for nobody here, and a deleted user''s days are named, too.';

create table private.summary_refreshes (
  only_row boolean primary key default true check (only_row),
  number bigint not null default 1,
  refreshed_at timestamptz not null default now(),
  seconds double precision not null default 0,
  changes bigint not null default 0
);
comment on table private.summary_refreshes is 'The last refresh: its number, when it began, how long it took, rows of the log.';
insert into private.summary_refreshes default values;

-- indexes ---------------------------------------------------------------------------------------------------

create index summary_changes_by_day on private.summary_changes (user_id, date_performed);
-- Most timekeepers round by entry: for them the half of billed_entries that shares out days ends at once.
create index entries_rounded_by_day on public.time_tracking_entries (user_id, date_performed)
  where rounding_scope = 'matter_day';

-- rights ----------------------------------------------------------------------------------------------------

alter table private.summary_changes enable row level security;
alter table private.summary_refreshes enable row level security;
revoke all on private.billed_entries, private.time_summaries, private.summary_changes, private.summary_refreshes
  from public, anon, authenticated, service_role;

-- the log ---------------------------------------------------------------------------------------------------

create function private.log_changed_days() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  -- Security definer: users write entries, not the log.
  case tg_op
    when 'INSERT' then
      insert into private.summary_changes (user_id, date_performed)
      select distinct a.user_id, a.date_performed from after_it a;
    when 'DELETE' then
      insert into private.summary_changes (user_id, date_performed)
      select distinct b.user_id, b.date_performed from before_it b;
    when 'UPDATE' then
      -- Both days of an entry, where something changed that a summary shows.
      insert into private.summary_changes (user_id, date_performed)
      with was as (
        select e.id, e.user_id, e.date_performed, e.client_matter, e.matter_id, e.entry_type, e.status, e.billable,
          e.duration_minutes, e.billed_minutes, e.rounding_increment, e.rounding_mode, e.rounding_scope, e.rounding_minimum
        from before_it e
      ), became as (
        select e.id, e.user_id, e.date_performed, e.client_matter, e.matter_id, e.entry_type, e.status, e.billable,
          e.duration_minutes, e.billed_minutes, e.rounding_increment, e.rounding_mode, e.rounding_scope, e.rounding_minimum
        from after_it e
      )
      select c.user_id, c.date_performed from (table was except table became) c
      union
      select c.user_id, c.date_performed from (table became except table was) c;
    when 'TRUNCATE' then
      insert into private.summary_changes (user_id, date_performed)
      select distinct e.user_id, e.date_performed from public.time_tracking_entries e;
  end case;
  return null;
end;
$$;
revoke execute on function private.log_changed_days from public;

-- One trigger for each: a transition table belongs to one event.
create trigger entries_added_change_summaries after insert on public.time_tracking_entries
  referencing new table as after_it for each statement execute function private.log_changed_days();
create trigger entries_changed_change_summaries after update on public.time_tracking_entries
  referencing old table as before_it new table as after_it for each statement execute function private.log_changed_days();
create trigger entries_deleted_change_summaries after delete on public.time_tracking_entries
  referencing old table as before_it for each statement execute function private.log_changed_days();
create trigger entries_emptied_change_summaries before truncate on public.time_tracking_entries
  for each statement execute function private.log_changed_days();

-- refreshing ------------------------------------------------------------------------------------------------

create function public.refresh_summaries() returns jsonb
language plpgsql volatile security definer
set search_path = ''
set statement_timeout = '15min'  -- PostgREST sets it for the whole call; others would end after 8 s
set work_mem = '64MB'
as $$
declare
  begun constant timestamptz := clock_timestamp();
  taken bigint;
  took double precision;
begin
  -- refreshed false: another call is at it.
  if not pg_try_advisory_xact_lock(hashtext('private.time_summaries'), 0) then
    return jsonb_build_object('refreshed', false, 'seconds', 0, 'changes', 0);
  end if;

  -- First the log, then the view. In READ COMMITTED each statement sees what was committed before it began. So whatever the
  -- delete sees, the later refresh sees, too; what is committed in between is in the view and still in the log, which costs
  -- a little and is right; what is committed later is in the log. The other way round, a change committed in between would
  -- be in neither. Readers see both done or none.
  delete from private.summary_changes;
  get diagnostics taken = row_count;
  if taken > 0 then
    refresh materialized view concurrently private.time_summaries;
    took := extract(epoch from clock_timestamp() - begun);
    update private.summary_refreshes r
    set number = r.number + 1, refreshed_at = begun, seconds = took, changes = taken;
  end if;
  return jsonb_build_object(
    'refreshed', true, 'seconds', round(extract(epoch from clock_timestamp() - begun), 3), 'changes', taken
  );
end;
$$;
revoke execute on function public.refresh_summaries from public, anon, authenticated;
grant execute on function public.refresh_summaries to service_role;

-- whom an entry is about ------------------------------------------------------------------------------------

create function private.words(p_text text) returns text
language sql immutable
-- In lower case, one space between words, and around them. COLLATE: names from the view would else be read as ASCII.
return ' ' || btrim(regexp_replace(lower(normalize(p_text, nfkc) collate "default"), '[^[:alnum:]]+', ' ', 'g')) || ' ';

create function private.joined_words(p_text text) returns text
language sql immutable
-- The same, with punctuation left out where `words` parts at it: "O'Brien" is one word, "U.S." is "us".
return private.words(regexp_replace(p_text collate "default", '[^[:alnum:][:space:]]+', '', 'g'));

create function private.is_about(p_filter text, p_client_matter text) returns boolean
language sql immutable
-- Whether the name holds the filter's words, in their order, as whole words. A filter without any is about nothing.
return private.words(p_filter) <> '  '
  and (
    position(private.words(p_filter) in private.words(p_client_matter)) > 0
    or position(private.joined_words(p_filter) in private.joined_words(p_client_matter)) > 0
  );

create function private.names_matter(p_filter text, p_matter public.matters) returns boolean
language sql immutable set search_path = ''
as $$
  -- Whether the filter is the matter's client, its name or one of its aliases, word for word.
  select private.words(p_filter) <> '  '
    and exists (
      select from unnest(array[p_matter.client, p_matter.matter] || p_matter.aliases) as n (name)
      where private.words(n.name) = private.words(p_filter)
        or private.joined_words(n.name) = private.joined_words(p_filter)
    );
$$;

create function private.is_about(p_filter text, p_client_matter text, p_matter_id uuid) returns boolean
language sql stable set search_path = ''
as $$
  -- Whether an entry is about whom the filter names: by its own words, or by its matter in the directory.
  select coalesce(private.is_about(p_filter, p_client_matter), false)
    or exists (select from public.matters m where m.id = p_matter_id and private.names_matter(p_filter, m));
$$;
revoke execute on function private.words, private.joined_words, private.is_about(text, text), private.names_matter,
  private.is_about(text, text, uuid) from public;
grant execute on function private.words, private.joined_words, private.is_about(text, text), private.names_matter,
  private.is_about(text, text, uuid) to authenticated, service_role;

-- answering -------------------------------------------------------------------------------------------------

create function private.asking() returns uuid
language plpgsql stable set search_path = ''
as $$
begin
  if (select auth.uid()) is null then
    raise exception 'a user''s token is needed' using errcode = 'insufficient_privilege';
  end if;
  return (select auth.uid());
end;
$$;
revoke execute on function private.asking from public;

create function private.names_in_entries(p_user_id uuid, p_from date, p_to date, p_live date[]) returns setof text
language sql stable set search_path = ''
as $$
  -- Each client_matter of the user's entries once; those of the days p_live from the entries themselves.
  select s.client_matter from private.time_summaries s
  where s.user_id = p_user_id and s.date_performed between p_from and p_to and s.client_matter <> ''
    and s.date_performed <> all (p_live)
  union
  select e.client_matter collate "C" from public.time_tracking_entries e
  where e.user_id = p_user_id and e.date_performed = any (p_live) and e.client_matter <> '';
$$;
revoke execute on function private.names_in_entries from public;

create function public.time_summary(
  p_from date,
  p_to date,
  p_client text default null,
  p_type public.entry_type default null,
  p_minimum_minutes numeric default null,
  p_unless text default null
) returns json
language plpgsql stable security definer
set search_path = ''
set plan_cache_mode = force_generic_plan  -- one plan fits all users, and planning would take longer than the answer
set enable_seqscan = off  -- nor may a plan that was made while the log was empty read all of it later
as $$
-- The caller's entries of these days, both included, and what they come to. A filter chooses entries; it changes nothing of
-- what an entry comes to. Dismissed entries are counted by status, nowhere else.
-- p_unless: a version that an earlier answer to the same question gave. If it still holds, that is all of the answer.
-- A stable function has one snapshot for all of its statements: a refresh or a change is in all of them or in none.
declare
  asking constant uuid := private.asking();
  refreshed private.summary_refreshes;
  changes bigint;
  changed date[];
  names text[];
  matters uuid[];
  version text;
begin
  if p_from is null or p_to is null or p_from > p_to then
    raise exception 'p_from, p_to: a first and a last day, in this order' using errcode = 'invalid_parameter_value';
  elsif private.words(p_client) = '  ' then
    raise exception 'p_client: no word in it' using errcode = 'invalid_parameter_value';
  end if;

  -- Between two refreshes the log only grows. Counting its rows tells every state from every other, which the greatest of a
  -- sequence would not: of two writers, the one with the lower number may be the later to commit.
  select * into refreshed from private.summary_refreshes;
  select count(*), coalesce(array_agg(distinct c.date_performed), '{}') into changes, changed
  from private.summary_changes c
  where c.user_id = asking and c.date_performed between p_from and p_to;
  version := refreshed.number || '.' || changes;
  if p_client is not null then
    matters := array(
      select m.id from public.matters m where m.user_id = asking and private.names_matter(p_client, m) order by m.id
    );
    version := version || '.' || md5(matters::text);
  end if;
  if version = p_unless then
    return json_build_object('version', version, 'unchanged', true);
  end if;
  if p_client is not null then
    names := array(
      select n.name from private.names_in_entries(asking, p_from, p_to, changed) as n (name)
      where private.is_about(p_client, n.name)
    );
  end if;

  return (
    with line as (
      select s.client_matter, s.matter_id, s.entry_type, s.date_performed, s.status, s.billable, s.entries, s.said, s.billed
      from private.time_summaries s
      where p_minimum_minutes is null
        and s.user_id = asking and s.date_performed between p_from and p_to and s.date_performed <> all (changed)
      union all
      select b.client_matter, b.matter_id, b.entry_type, b.date_performed, b.status, b.billable, 1, b.said, b.billed
      from private.billed_entries b
      where p_minimum_minutes is null
        and b.user_id = asking and b.date_performed = any (changed)
      union all
      -- The view knows no single entries.
      select b.client_matter, b.matter_id, b.entry_type, b.date_performed, b.status, b.billable, 1, b.said, b.billed
      from private.billed_entries b
      where p_minimum_minutes is not null
        and b.user_id = asking and b.date_performed between p_from and p_to and b.said >= 100 * p_minimum_minutes
    ), summed as (
      -- Sums of whole numbers, exact up to 2^53, and quick; a hundredth of them prints with no more than two decimals.
      select grouping(l.client_matter, l.entry_type, l.date_performed, l.status) as over_all_but,
        nullif(l.client_matter, '') as client_matter, l.entry_type, l.date_performed, l.status, l.dismissed,
        sum(l.entries) as entries,
        sum(l.said::float8) / 100 as minutes,
        sum(l.billed::float8) / 100 as billed_minutes,
        coalesce(sum(l.said::float8) filter (where not l.billable), 0) / 100 as unbilled_minutes
      from (select line.*, line.status = 'dismissed' as dismissed from line) l
      where (p_type is null or l.entry_type = p_type)
        and (p_client is null or l.client_matter = any (names) or l.matter_id = any (matters))
      group by l.dismissed, grouping sets ((l.client_matter), (l.entry_type), (l.date_performed), (l.status), ())
    )
    -- json, not jsonb: making a jsonb of some 400 groups and printing it takes as long as finding and adding up the rows.
    select json_build_object(
      'version', version,
      'from', p_from,
      'to', p_to,
      'refreshed_at', refreshed.refreshed_at,
      'changed_days', cardinality(changed),
      'totals', (
        select to_json(t) from (
          select coalesce(max(s.entries), 0) as entries, coalesce(max(s.minutes), 0) as minutes,
            coalesce(max(s.billed_minutes), 0) as billed_minutes, coalesce(max(s.unbilled_minutes), 0) as unbilled_minutes
          from summed s where s.over_all_but = 15 and not s.dismissed  -- one row, or none
        ) t
      ),
      'by_client', (
        select coalesce(json_agg(t order by t.client_matter), '[]') from (
          select s.client_matter, s.entries, s.minutes, s.billed_minutes, s.unbilled_minutes
          from summed s where s.over_all_but = 7 and not s.dismissed
        ) t
      ),
      'by_type', (
        select coalesce(json_agg(t order by t.entry_type), '[]') from (
          select s.entry_type, s.entries, s.minutes, s.billed_minutes, s.unbilled_minutes
          from summed s where s.over_all_but = 11 and not s.dismissed
        ) t
      ),
      'by_day', (
        select coalesce(json_agg(t order by t.date_performed), '[]') from (
          select s.date_performed, s.entries, s.minutes, s.billed_minutes, s.unbilled_minutes
          from summed s where s.over_all_but = 13 and not s.dismissed
        ) t
      ),
      'by_status', (
        select coalesce(json_agg(t order by t.status), '[]') from (
          select s.status, s.entries, s.minutes, s.billed_minutes, s.unbilled_minutes
          from summed s where s.over_all_but = 14
        ) t
      )
    )
  );
end;
$$;
revoke execute on function public.time_summary from public, anon, service_role;
grant execute on function public.time_summary to authenticated;

create function public.known_clients() returns setof text
language plpgsql stable security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
-- The names that the caller's entries and directory hold, each once, in alphabetical order.
declare
  asking constant uuid := private.asking();
  changed constant date[] := array(
    select distinct c.date_performed from private.summary_changes c where c.user_id = asking
  );
begin
  return query
    select known.name
    from (
      select n.name from private.names_in_entries(asking, '-infinity', 'infinity', changed) as n (name)
      union
      select m.client from public.matters m where m.user_id = asking
      union
      select m.matter from public.matters m where m.user_id = asking and m.matter <> ''
    ) known
    order by lower(known.name), known.name;
end;
$$;
revoke execute on function public.known_clients from public, anon, service_role;
grant execute on function public.known_clients to authenticated;
