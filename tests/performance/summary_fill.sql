-- :entries entries of :users users, as the mail of a year brings them: whoever's, whichever day's, in no order.
-- Of some 20 matters each; one user in five rounds a matter's day instead of an entry.

insert into auth.users (id, email)
select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user' || n || '@firm.example'
from generate_series(1, :users) n;

insert into public.time_tracking_entries (
  user_id, email_id, evidence_key, duration_minutes, entry_type, date_performed, client_matter, description, billable, status,
  confidence_score, extracted_text, evidence, amount, extractor, analyser_version, rounding_scope
)
select ('00000000-0000-4000-8000-' || lpad(to_hex(drawn.who), 12, '0'))::uuid, 'm' || drawn.n, md5(drawn.n::text),
  5.4 * (1 + floor(random() * 40)),
  (enum_range(null::public.entry_type))[1 + floor(random() * 7)::int],
  date '2026-09-30' - floor(random() * 365)::int,
  'Client ' || floor(random() * 20) || ' - matter of user ' || drawn.who,
  'Telephone conference with the client about the reply brief',
  random() < 0.95,
  case when random() < 0.6 then 'approved' when random() < 0.9 then 'draft' else 'dismissed' end::public.entry_status,
  0.95, 'spent 1.4 on the reply brief for client ' || drawn.n, int4range(10, 60), int4range(16, 19), 'rules', 1,
  case when drawn.who % 5 = 0 then 'matter_day' else 'entry' end::public.rounding_scope
from (
  select n, 1 + floor(random() * :users)::int as who from generate_series(1, :entries) n offset 0
) drawn;
