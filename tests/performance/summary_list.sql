-- The newest 50 entries of any user, as their screen shows them first.
\set who random(1, :users)
with token as materialized (
  select set_config(
    'request.jwt.claims', '{"sub":"00000000-0000-4000-8000-' || lpad(to_hex(:who::int), 12, '0') || '"}', true
  ) as claims
)
select e.* from public.time_tracking_entries e
where (select token.claims <> '' from token) and e.user_id = (select auth.uid())
order by e.date_performed desc, e.id
limit 50;
