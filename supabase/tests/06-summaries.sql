-- Two timekeepers' sums: each adds up their own hours, though both lie in one view that knows no rows' owners.
begin;
select plan(14);

insert into auth.users (id, email) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example');
insert into time_tracking_entries (user_id, duration_minutes, entry_type, date_performed, description, client_matter) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 60, 'call', '2026-09-02', 'x', 'Ortiz'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 18, 'call', '2026-09-02', 'x', 'Hollis');

-- Before a refresh the answers come from the log's days, after it from the view.
set local request.jwt.claims to '{"sub": "aaaaaaaa-0000-4000-8000-00000000000d", "role": "authenticated"}';
set local role authenticated;
select is((time_summary('2026-09-01', '2026-09-30') -> 'totals' ->> 'minutes')::numeric, 60::numeric, 'Dana''s hour');
select is(known_clients()::text like '%Ortiz%', true, 'Dana is told of her client');
select is(known_clients()::text like '%Hollis%', false, 'and not of Eli''s');
set local request.jwt.claims to '{"sub": "bbbbbbbb-0000-4000-8000-00000000000e", "role": "authenticated"}';
select is((time_summary('2026-09-01', '2026-09-30') -> 'totals' ->> 'minutes')::numeric, 18::numeric, 'Eli''s eighteen minutes');
select is(time_summary('2026-09-01', '2026-09-30', 'Ortiz') -> 'totals' ->> 'entries', '0',
  'asked about Dana''s client, he has nothing');

set local request.jwt.claims to '';
set local role service_role;
select is(refresh_summaries() ->> 'refreshed', 'true', 'machines refresh the view');
set local request.jwt.claims to '{"sub": "bbbbbbbb-0000-4000-8000-00000000000e", "role": "authenticated"}';
set local role authenticated;
select is((time_summary('2026-09-01', '2026-09-30') -> 'totals' ->> 'minutes')::numeric, 18::numeric,
  'Eli''s are the same out of the view');
select is(time_summary('2026-09-01', '2026-09-30')::text like '%Ortiz%', false, 'and name no client of Dana''s');
select is(known_clients()::text like '%Ortiz%', false, 'nor is he told of one');
select throws_ok('select * from private.time_summaries', '42501', null, 'the view itself is nobody''s to read');
select throws_ok('select refresh_summaries()', '42501', null, 'nor his to refresh');

set local request.jwt.claims to '';
select throws_ok($$ select time_summary('2026-09-01', '2026-09-30') $$, '42501', null,
  'a signed-in role without a user adds up nobody''s');
set local role anon;
select throws_ok($$ select time_summary('2026-09-01', '2026-09-30') $$, '42501', null, 'nor does nobody');

reset role;
select results_eq(
  $$ select user_id::text, said from private.time_summaries
     where user_id in ('aaaaaaaa-0000-4000-8000-00000000000d', 'bbbbbbbb-0000-4000-8000-00000000000e') order by 1 $$,
  $$ values ('aaaaaaaa-0000-4000-8000-00000000000d', 6000::bigint), ('bbbbbbbb-0000-4000-8000-00000000000e', 1800) $$,
  'both are in it'
);

select * from finish();
rollback;
