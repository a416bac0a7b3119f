-- The same year from the entries themselves, under row level security; without a matter's day, for which it would take more.
\set who random(1, :users)
with token as materialized (
  select set_config(
    'request.jwt.claims', '{"sub":"00000000-0000-4000-8000-' || lpad(to_hex(:who::int), 12, '0') || '"}', true
  ) as claims
), summed as materialized (
  select grouping(e.client_matter, e.entry_type, e.date_performed, e.status) as over_all_but,
    e.client_matter, e.entry_type, e.date_performed, e.status, e.status = 'dismissed' as dismissed,
    count(*) as entries, sum(e.duration_minutes) as minutes, sum(e.billed_minutes) as billed_minutes,
    coalesce(sum(e.duration_minutes) filter (where not e.billable), 0) as unbilled_minutes
  from public.time_tracking_entries e
  where (select token.claims <> '' from token)
    and e.user_id = (select auth.uid()) and e.date_performed between '2025-10-01' and '2026-09-30'
  group by e.status = 'dismissed',
    grouping sets ((e.client_matter), (e.entry_type), (e.date_performed), (e.status), ())
)
select json_build_object(
  'totals', (select json_agg(s) from summed s where s.over_all_but = 15 and not s.dismissed),
  'by_client', (select json_agg(s order by s.client_matter) from summed s where s.over_all_but = 7 and not s.dismissed),
  'by_type', (select json_agg(s order by s.entry_type) from summed s where s.over_all_but = 11 and not s.dismissed),
  'by_day', (select json_agg(s order by s.date_performed) from summed s where s.over_all_but = 13 and not s.dismissed),
  'by_status', (select json_agg(s order by s.status) from summed s where s.over_all_but = 14)
);
