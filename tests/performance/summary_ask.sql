-- A year of any user, with :client and :minimum as filters unless they are 'any'.
-- Their token's claims are set in the statement itself, so that one statement is all that is timed.
\set who random(1, :users)
select public.time_summary(
  '2025-10-01', '2026-09-30',
  p_client => nullif(:client::text, 'any'), p_minimum_minutes => nullif(:minimum::text, 'any')::numeric
)
from (
  select set_config(
    'request.jwt.claims', '{"sub":"00000000-0000-4000-8000-' || lpad(to_hex(:who::int), 12, '0') || '"}', true
  ) as claims offset 0
) token
where token.claims <> '';
