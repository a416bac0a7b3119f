-- Recording once more: an email keeps its day, a decision beside a rescan blocks nobody for ever; days are days.

-- constraints -----------------------------------------------------------------------------------------------

alter table public.time_tracking_entries
  add constraint entries_are_of_a_day check (date_performed between '1970-01-01' and '2199-12-31');

-- functions -------------------------------------------------------------------------------------------------

-- Replaces the one of the same name; who may call it stays as it was.
create or replace function public.record_analysis(p_user_id uuid, p_analyses jsonb)
returns table (email_id text, recorded boolean, entry_count integer)
language plpgsql volatile security invoker set search_path = ''
as $$
#variable_conflict use_column
declare
  won text[];
begin
  -- 1. The row of the email decides who writes: a second call waits on it, then finds the first one's result.
  --    A reading beats a failure; a newer analyser or newer settings beat an older reading, and so does
  --    a more complete one (with the model, where the other had to do without); an equal one loses.
  --    One order of locks, so that two batches that share emails can't block each other for ever.
  with decided as (
    insert into public.processed_emails as known (
      user_id, email_id, mailbox_id, outcome, failure, sent_at, entry_count, analyser_version, settings_version,
      correlation_id, second_look
    )
    select p_user_id, a.email_id, a.mailbox_id, a.outcome, a.failure, a.sent_at,
      jsonb_array_length(a.entries), a.analyser_version, a.settings_version, a.correlation_id,
      a.second_look
    from jsonb_to_recordset(p_analyses) as a (
      email_id text, mailbox_id uuid, outcome public.analysis_outcome, failure text, sent_at timestamptz,
      analyser_version integer, settings_version integer, correlation_id text, second_look text, entries jsonb
    )
    order by a.email_id
    on conflict (user_id, email_id) do update set
      mailbox_id = excluded.mailbox_id,
      outcome = excluded.outcome,
      failure = excluded.failure,
      -- A later try may not know the date any more: the email is gone, or can't be had.
      sent_at = coalesce(excluded.sent_at, known.sent_at),
      entry_count = excluded.entry_count,
      analyser_version = excluded.analyser_version,
      settings_version = excluded.settings_version,
      correlation_id = excluded.correlation_id,
      second_look = excluded.second_look,
      processed_at = now()
    where case
      when not private.is_reading(excluded.outcome) then not private.is_reading(known.outcome)
      when not private.is_reading(known.outcome) then true
      else (excluded.analyser_version, excluded.settings_version, private.completeness(excluded.second_look))
        > (known.analyser_version, known.settings_version, private.completeness(known.second_look))
    end
    returning known.email_id
  )
  select coalesce(array_agg(decided.email_id), '{}') into won from decided;

  -- The same order of locks as where people decide: matters, then entries by their ids.
  perform from public.matters m
  where m.user_id = p_user_id and m.id in (
    select e.matter_id
    from jsonb_to_recordset(p_analyses) as a (email_id text, entries jsonb)
    cross join jsonb_to_recordset(a.entries) as e (matter_id uuid)
    where a.email_id = any (won)
  )
  order by m.id
  for key share;
  perform from public.time_tracking_entries old
  where old.user_id = p_user_id and old.email_id = any (won)
  order by old.id
  for update;

  -- 2. What an older reading wrote and no person has touched makes room.
  delete from public.time_tracking_entries old
  where old.user_id = p_user_id and old.email_id = any (won)
    and old.extractor <> 'person' and old.status = 'draft' and old.edited_at is null;

  -- 3. What a person has touched stays, and is not written a second time under other words for the same amount.
  insert into public.time_tracking_entries (
    user_id, email_id, evidence_key, duration_minutes, entry_type, date_performed, client_matter, matter_id, description,
    billable, rate_category, hourly_rate, confidence_score, extracted_text, evidence, amount, extractor, analyser_version,
    rounding_increment, rounding_mode, rounding_scope, rounding_minimum
  )
  select p_user_id, a.email_id, e.evidence_key, e.duration_minutes, e.entry_type, e.date_performed, e.client_matter,
    -- The matter may have been removed since the email was read; its name stays on the entry.
    (select m.id from public.matters m where m.id = e.matter_id and m.user_id = p_user_id),
    e.description, e.billable, e.rate_category, e.hourly_rate, e.confidence_score, e.extracted_text,
    e.evidence, e.amount, e.extractor, a.analyser_version, e.rounding_increment, e.rounding_mode, e.rounding_scope,
    e.rounding_minimum
  from jsonb_to_recordset(p_analyses) as a (email_id text, analyser_version integer, entries jsonb)
  cross join jsonb_to_recordset(a.entries) as e (
    evidence_key text, duration_minutes numeric, entry_type public.entry_type, date_performed date, client_matter text,
    matter_id uuid, description text, billable boolean, rate_category text, hourly_rate numeric, confidence_score numeric,
    extracted_text text, evidence int4range, amount int4range, extractor public.entry_extractor,
    rounding_increment smallint, rounding_mode public.rounding_mode, rounding_scope public.rounding_scope,
    rounding_minimum smallint
  )
  where a.email_id = any (won)
    and not exists (
      select from public.time_tracking_entries kept
      where kept.user_id = p_user_id and kept.email_id = a.email_id
        and (kept.evidence_key = e.evidence_key or kept.amount && e.amount)
    );

  return query
    select known.email_id, known.email_id = any (won), known.entry_count
    from public.processed_emails known
    where known.user_id = p_user_id
      and known.email_id in (select a.email_id from jsonb_to_recordset(p_analyses) as a (email_id text));
end;
$$;
