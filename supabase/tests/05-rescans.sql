-- Two timekeepers and a rescan: its owner sees and cancels it through the functions, the other can't even tell that it is there.
begin;
select plan(15);

insert into auth.users (id, email) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example');
set local role service_role;
select isnt(
  connect_mailbox('aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example', 1, null, 'cipher-d'), null,
  'Dana has a mailbox'
);
select is(
  start_rescan('aaaaaaaa-0000-4000-8000-0000000000f0', 'aaaaaaaa-0000-4000-8000-00000000000d', null,
    '2026-08-01', '2026-09-01', 'to:ortiz', true) ->> 'verdict',
  'started', 'a rescan of it is started for her'
);
select is(
  start_rescan('bbbbbbbb-0000-4000-8000-0000000000f0', 'bbbbbbbb-0000-4000-8000-00000000000e',
    (select id from mailbox_by_address('dana@firm.example')), '2026-08-01', '2026-09-01', null, true) ->> 'verdict',
  'unknown_mailbox', 'one for Eli that names her mailbox is of a mailbox that he doesn''t have'
);
select is(
  cancel_rescan('bbbbbbbb-0000-4000-8000-00000000000e', 'aaaaaaaa-0000-4000-8000-0000000000f0'), null,
  'nor is her rescan cancelled for him'
);

set local request.jwt.claims to '{"sub": "aaaaaaaa-0000-4000-8000-00000000000d", "role": "authenticated"}';
set local role authenticated;
select is(rescan_job('aaaaaaaa-0000-4000-8000-0000000000f0') ->> 'state', 'queued', 'Dana sees how far it is');
select is(jsonb_array_length(latest_rescans(5)), 1, 'and lists it');
select throws_ok($$ update rescan_jobs set state = 'done' $$, '42501', null, 'its state is not hers to write');
select throws_ok('delete from rescan_jobs', '42501', null, 'nor does she delete it');

set local request.jwt.claims to '{"sub": "bbbbbbbb-0000-4000-8000-00000000000e", "role": "authenticated"}';
select is(rescan_job('aaaaaaaa-0000-4000-8000-0000000000f0'), null, 'to Eli it is as if it weren''t there');
select is(latest_rescans(5), '[]'::jsonb, 'he lists none');
select is_empty('select * from rescan_jobs', 'nor reads what she searched for');
select throws_ok(
  $$ select cancel_rescan('aaaaaaaa-0000-4000-8000-00000000000d', 'aaaaaaaa-0000-4000-8000-0000000000f0') $$,
  '42501', null, 'and he can''t call what cancels, with her id in it'
);
select throws_ok(
  $$ select claim_rescan_step('aaaaaaaa-0000-4000-8000-0000000000f0', 0, gen_random_uuid(), 60) $$, '42501', null,
  'nor take a step of it'
);

set local request.jwt.claims to '';
set local role anon;
select throws_ok($$ select rescan_job('aaaaaaaa-0000-4000-8000-0000000000f0') $$, '42501', null,
  'nobody without a token asks for a rescan');

reset role;
select results_eq(
  $$ select state::text, step, query_filter from rescan_jobs where id = 'aaaaaaaa-0000-4000-8000-0000000000f0' $$,
  $$ values ('queued', 0, 'to:ortiz') $$, 'it is as it was started'
);

select * from finish();
rollback;
