-- What a person changed in their entries, one change after the other, so that it can be undone.

-- types -----------------------------------------------------------------------------------------------------

create type private.entry_change_kind as enum ('added', 'edited', 'deleted');

-- table -----------------------------------------------------------------------------------------------------

create table private.entry_changes (
  id bigint primary key generated always as identity,
  user_id uuid not null references auth.users (id) on delete cascade,
  entry_id uuid not null,
  changed_at timestamptz not null default now(),
  kind private.entry_change_kind not null,
  was jsonb
);
comment on table private.entry_changes is 'Changes that a person made, not machines: the last 50 of each entry.';
comment on column private.entry_changes.entry_id is 'No foreign key: what was deleted can be brought back.';
comment on column private.entry_changes.was is 'The whole row before the change.';

-- constraints -----------------------------------------------------------------------------------------------

alter table private.entry_changes
  add constraint entry_changes_of_what_was check ((kind = 'added') = (was is null));

-- indexes ---------------------------------------------------------------------------------------------------

create index entry_changes_by_entry on private.entry_changes (entry_id, id);
create index entry_changes_by_user on private.entry_changes (user_id);

-- rights ----------------------------------------------------------------------------------------------------

alter table private.entry_changes enable row level security;
revoke all on private.entry_changes from anon, authenticated, service_role;

-- recording -------------------------------------------------------------------------------------------------

create function private.is_undoing() returns boolean
language sql stable set search_path = ''
as $$
  -- Set by undo_entry_change, for as long as it writes: what it puts back nobody edits, adds or deletes.
  select coalesce(current_setting('tenths.undoing', true), '') <> '';
$$;
grant execute on function private.is_undoing to authenticated, service_role;

create function private.remember_entry_change() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  changed constant public.time_tracking_entries := case when tg_op = 'DELETE' then old else new end;
begin
  insert into private.entry_changes (user_id, entry_id, kind, was)
  values (
    changed.user_id,
    changed.id,
    case tg_op when 'INSERT' then 'added' when 'UPDATE' then 'edited' else 'deleted' end::private.entry_change_kind,
    case when tg_op <> 'INSERT' then to_jsonb(old) end
  );
  delete from private.entry_changes c
  where c.id in (
    select older.id from private.entry_changes older
    where older.entry_id = changed.id
    order by older.id desc offset 50
  );
  return null;
end;
$$;
revoke execute on function private.remember_entry_change from public;

-- A request with a user's own token is a person. What a foreign key does when a matter is removed is no change of theirs.
create trigger entries_remember_what_a_person_changed after insert or update or delete on public.time_tracking_entries
  for each row when (pg_trigger_depth() = 0 and auth.uid() is not null and not private.is_undoing())
  execute function private.remember_entry_change();

-- These two replace the ones of the same name, which would mark and round anew what an undo puts back.
create or replace trigger entries_remember_edits before update on public.time_tracking_entries
  for each row when (pg_trigger_depth() = 0 and not private.is_undoing()) execute function private.mark_edited();
create or replace trigger entries_by_hand_round_as_their_user_wants before insert on public.time_tracking_entries
  for each row when (new.extractor = 'person' and not private.is_undoing()) execute function private.snapshot_rounding();

-- functions -------------------------------------------------------------------------------------------------

create function public.undo_entry_change(p_entry_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  asking constant uuid := (select auth.uid());
  undone private.entry_changes;
  earlier public.time_tracking_entries;
  entry jsonb;
begin
  -- The entry after undoing its last change, as the API shows it; null: undoing its addition has removed it.

  -- Two undos at once undo two changes; one beside an edit waits for it. A deleted entry has no row to wait on.
  perform pg_advisory_xact_lock(hashtextextended(p_entry_id::text, 0));
  perform from public.time_tracking_entries e where e.id = p_entry_id and e.user_id = asking for update;
  delete from private.entry_changes c
  where c.id = (
    select max(own.id) from private.entry_changes own where own.entry_id = p_entry_id and own.user_id = asking
  )
  returning * into undone;

  earlier := jsonb_populate_record(null::public.time_tracking_entries, undone.was);
  -- The matter may have been removed since; its name stays on the entry.
  earlier.matter_id := (select m.id from public.matters m where m.id = earlier.matter_id and m.user_id = asking);

  perform set_config('tenths.undoing', 'yes', true);
  if undone.kind = 'added' then
    delete from public.time_tracking_entries e where e.id = p_entry_id;
  elsif undone.kind = 'edited' then
    -- What a person may edit, and when they did. All else is the machines' and as it was.
    update public.time_tracking_entries e
    set duration_minutes = earlier.duration_minutes,
      entry_type = earlier.entry_type,
      date_performed = earlier.date_performed,
      client_matter = earlier.client_matter,
      matter_id = earlier.matter_id,
      description = earlier.description,
      billable = earlier.billable,
      rate_category = earlier.rate_category,
      hourly_rate = earlier.hourly_rate,
      status = earlier.status,
      edited_at = earlier.edited_at
    where e.id = p_entry_id
    returning to_jsonb(e) into entry;
  elsif undone.kind = 'deleted' then
    insert into public.time_tracking_entries as e (
      id, user_id, email_id, evidence_key, duration_minutes, entry_type, date_performed, client_matter, matter_id,
      description, billable, rate_category, hourly_rate, status, confidence_score, extracted_text, evidence, amount,
      extractor, analyser_version, rounding_increment, rounding_mode, rounding_scope, rounding_minimum, created_at,
      processed_at, edited_at
    )
    values (
      earlier.id, earlier.user_id, earlier.email_id, earlier.evidence_key, earlier.duration_minutes,
      earlier.entry_type, earlier.date_performed, earlier.client_matter, earlier.matter_id, earlier.description,
      earlier.billable, earlier.rate_category, earlier.hourly_rate, earlier.status, earlier.confidence_score,
      earlier.extracted_text, earlier.evidence, earlier.amount, earlier.extractor, earlier.analyser_version,
      earlier.rounding_increment, earlier.rounding_mode, earlier.rounding_scope, earlier.rounding_minimum,
      earlier.created_at, earlier.processed_at, earlier.edited_at
    )
    returning to_jsonb(e) into entry;
  end if;
  perform set_config('tenths.undoing', '', true);

  if entry is null and undone.kind is distinct from 'added' then
    -- Somebody else's entry, one that never was, or one without a change. PostgREST makes a 500 of a plain P0002.
    raise sqlstate 'PGRST' using
      message = '{"code": "P0002", "message": "there is no change of such an entry to undo"}',
      detail = '{"status": 404, "headers": {}}';
  end if;
  return entry;
end;
$$;
revoke execute on function public.undo_entry_change from public, anon, service_role;
grant execute on function public.undo_entry_change to authenticated;

create function public.set_entry_status(p_entry_ids uuid[], p_status public.entry_status)
returns setof public.time_tracking_entries
language plpgsql volatile strict security invoker set search_path = ''
as $$
begin
  if cardinality(p_entry_ids) > 500 then
    raise exception 'p_entry_ids: at most 500 at once' using errcode = 'invalid_parameter_value';
  end if;
  -- One order of locks, so that two calls that share entries can't block each other for ever.
  perform from public.time_tracking_entries e where e.id = any (p_entry_ids) order by e.id for update;
  -- Those that have the status already are no change: nobody decided anything new, and there is nothing to undo.
  update public.time_tracking_entries e set status = p_status where e.id = any (p_entry_ids) and e.status <> p_status;
  return query
    select e.* from public.time_tracking_entries e
    where e.id = any (p_entry_ids)
    order by array_position(p_entry_ids, e.id);
end;
$$;
revoke execute on function public.set_entry_status from public, anon, service_role;
grant execute on function public.set_entry_status to authenticated;
