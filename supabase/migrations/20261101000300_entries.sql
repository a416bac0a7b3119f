-- Time entries, each with the words that prove it.

-- types -----------------------------------------------------------------------------------------------------

create type public.entry_type as enum ('call', 'meeting', 'research', 'drafting', 'review', 'travel', 'other');
create type public.entry_status as enum ('draft', 'approved', 'dismissed');
create type public.entry_extractor as enum ('rules', 'model', 'person');

create function private.billed_minutes(
  p_minutes numeric, p_increment integer, p_mode public.rounding_mode, p_scope public.rounding_scope, p_minimum integer
) returns numeric
language sql immutable set search_path = ''
as $$
  -- With scope matter_day nothing is rounded here: the raw minutes of a matter's day are summed, then rounded once.
  select case
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
$$;
grant execute on function private.billed_minutes to authenticated, service_role;

-- table -----------------------------------------------------------------------------------------------------

create table public.time_tracking_entries (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  email_id text,
  evidence_key text,
  duration_minutes numeric(6, 2) not null,
  billed_minutes numeric(6, 2) not null generated always as (
    case when billable
      then private.billed_minutes(duration_minutes, rounding_increment, rounding_mode, rounding_scope, rounding_minimum)
      else 0
    end
  ) stored,
  entry_type public.entry_type not null,
  date_performed date not null,
  client_matter text,
  matter_id uuid references public.matters (id) on delete set null,
  description text not null,
  billable boolean not null default true,
  rate_category text,
  hourly_rate numeric(10, 2),
  status public.entry_status not null default 'draft',
  confidence_score numeric(4, 3) not null default 1,
  extracted_text text not null default '',
  evidence int4range,
  amount int4range,
  extractor public.entry_extractor not null default 'person',
  analyser_version integer not null default 0,
  rounding_increment smallint not null default 6,
  rounding_mode public.rounding_mode not null default 'up',
  rounding_scope public.rounding_scope not null default 'entry',
  rounding_minimum smallint not null default 0,
  created_at timestamptz not null default now(),
  processed_at timestamptz not null default now(),
  edited_at timestamptz
);
comment on column public.time_tracking_entries.extracted_text is 'Evidence: the email''s own words, verbatim.';
comment on column public.time_tracking_entries.evidence is 'Where the evidence stands: offsets into the decoded body.';
comment on column public.time_tracking_entries.amount is 'Where the words stand that say how long it took.';
comment on column public.time_tracking_entries.edited_at is 'When a person last changed it; machines keep off from then on.';

-- constraints -----------------------------------------------------------------------------------------------

alter table public.time_tracking_entries
  add constraint entries_fit_in_a_day check (duration_minutes between 0 and 1440),
  add constraint entries_client_matter_is_short check (length(client_matter) <= 200),
  add constraint entries_description_is_short check (length(description) <= 1000),
  add constraint entries_rate_category_is_short check (length(rate_category) <= 50),
  add constraint entries_extracted_text_is_short check (length(extracted_text) <= 500),
  add constraint entries_confidence_is_a_share check (confidence_score between 0 and 1),
  add constraint entries_hourly_rate_is_an_amount check (hourly_rate >= 0 and hourly_rate < 'Infinity'),
  add constraint entries_of_machines_carry_their_proof check (
    extractor = 'person'
    or (email_id is not null and evidence_key is not null and extracted_text <> '' and amount is not null)
  ),
  -- An email may hold many entries, each one once.
  add constraint entries_evidence_counts_once unique (user_id, email_id, evidence_key);

-- indexes ---------------------------------------------------------------------------------------------------

create index entries_by_day on public.time_tracking_entries (user_id, date_performed desc, id);
create index entries_by_matter on public.time_tracking_entries (matter_id) where matter_id is not null;

-- rights ----------------------------------------------------------------------------------------------------

alter table public.time_tracking_entries enable row level security;
revoke all on public.time_tracking_entries from anon, authenticated;
grant select, delete on public.time_tracking_entries to authenticated;
-- Where an entry came from and what proves it is not the user's to write.
grant insert (
  user_id, duration_minutes, entry_type, date_performed, client_matter, matter_id, description, billable, rate_category,
  hourly_rate, status
) on public.time_tracking_entries to authenticated;
grant update (
  duration_minutes, entry_type, date_performed, client_matter, matter_id, description, billable, rate_category,
  hourly_rate, status
) on public.time_tracking_entries to authenticated;
grant select, insert, update, delete on public.time_tracking_entries to service_role;

create policy "Users see their own entries" on public.time_tracking_entries
  for select to authenticated using ((select auth.uid()) = user_id);
create policy "Users add entries by hand" on public.time_tracking_entries
  for insert to authenticated with check ((select auth.uid()) = user_id and extractor = 'person');
create policy "Users edit their own entries" on public.time_tracking_entries
  for update to authenticated using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);
-- A machine's entry is dismissed, not deleted: deleted, the next reading of its email would write it again.
create policy "Users delete what they added by hand" on public.time_tracking_entries
  for delete to authenticated using ((select auth.uid()) = user_id and extractor = 'person');

-- functions -------------------------------------------------------------------------------------------------

create function private.mark_edited() returns trigger
language plpgsql set search_path = ''
as $$
begin
  -- A request with a user's own token is a person; machines come with the secret key.
  if (select auth.uid()) is not null then
    new.edited_at := now();
  end if;
  return new;
end;
$$;

-- Not what a foreign key does when a matter is removed: nobody edited the entry.
create trigger entries_remember_edits before update on public.time_tracking_entries
  for each row when (pg_trigger_depth() = 0) execute function private.mark_edited();

create function private.snapshot_rounding() returns trigger
language plpgsql set search_path = ''
as $$
declare
  rule public.time_tracking_settings;
begin
  select * into rule from public.time_tracking_settings s where s.user_id = new.user_id;
  if found then
    new.rounding_increment := rule.rounding_increment;
    new.rounding_mode := rule.rounding_mode;
    new.rounding_scope := rule.rounding_scope;
    new.rounding_minimum := rule.rounding_minimum;
  end if;
  return new;
end;
$$;

create trigger entries_by_hand_round_as_their_user_wants before insert on public.time_tracking_entries
  for each row when (new.extractor = 'person') execute function private.snapshot_rounding();

create function private.matter_belongs_to_user() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if not exists (select from public.matters m where m.id = new.matter_id and m.user_id = new.user_id) then
    raise exception 'matter_id: no such matter' using errcode = 'foreign_key_violation';
  end if;
  return new;
end;
$$;

create trigger entries_name_matters_of_their_user before insert or update of matter_id on public.time_tracking_entries
  for each row when (new.matter_id is not null) execute function private.matter_belongs_to_user();
