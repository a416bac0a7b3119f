-- What became of two timekeepers' emails: on record by machines, seen by their senders, counted for nobody else.
begin;
select plan(16);

insert into auth.users (id, email) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example');
insert into mailboxes (id, user_id, email_address, history_id) values
  ('aaaaaaaa-0000-4000-8000-0000000000b0', 'aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example', 1),
  ('bbbbbbbb-0000-4000-8000-0000000000b0', 'bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example', 1);

set local role service_role;
select lives_ok(
  $$ select await_analysis('aaaaaaaa-0000-4000-8000-0000000000b0', array['m1', 'm2']) $$, 'two emails of Dana''s are handed on'
);
select lives_ok(
  $$ select * from record_analysis('aaaaaaaa-0000-4000-8000-00000000000d', '[{"email_id": "m1",
       "mailbox_id": "aaaaaaaa-0000-4000-8000-0000000000b0", "outcome": "none", "sent_at": "2026-09-02T12:00:00Z",
       "analyser_version": 1, "settings_version": 0, "entries": []}]') $$, 'one of them is read'
);
select throws_ok(
  $$ select * from record_analysis('bbbbbbbb-0000-4000-8000-00000000000e', '[{"email_id": "m1",
       "mailbox_id": "aaaaaaaa-0000-4000-8000-0000000000b0", "outcome": "none",
       "analyser_version": 1, "settings_version": 0, "entries": []}]') $$,
  '23503', null, 'even a machine can''t put an email of Dana''s mailbox on Eli''s record'
);

set local request.jwt.claims to '{"sub": "aaaaaaaa-0000-4000-8000-00000000000d", "role": "authenticated"}';
set local role authenticated;
select results_eq('select email_id, outcome::text from processed_emails', $$ values ('m1', 'none') $$,
  'Dana sees what became of it');
select results_eq('select email_id from awaited_emails', $$ values ('m2') $$, 'and that the other waits');
select results_eq(
  $$ select (c ->> 'accounted_for')::integer, (c ->> 'waiting')::integer
     from coverage('2026-01-01', now() + interval '1 hour') c $$,
  $$ values (1, 1) $$, 'both are accounted for'
);
select throws_ok($$ delete from processed_emails $$, '42501', null, 'she can''t take one off the record');
select throws_ok($$ delete from awaited_emails $$, '42501', null, 'nor say that one no longer waits');

set local request.jwt.claims to '{"sub": "bbbbbbbb-0000-4000-8000-00000000000e", "role": "authenticated"}';
select is_empty('select * from processed_emails', 'Eli sees none of her record');
select is_empty('select * from awaited_emails', 'nor what waits');
select results_eq(
  $$ select (c ->> 'sent')::integer, c -> 'mailboxes' -> 0 ->> 'id', jsonb_array_length(c -> 'mailboxes')
     from coverage('2000-01-01', '2100-01-01') c $$,
  $$ values (0, 'bbbbbbbb-0000-4000-8000-0000000000b0', 1) $$, 'his coverage counts his own mailbox, and none of her emails'
);
select throws_ok(
  $$ insert into processed_emails (user_id, email_id, mailbox_id, outcome, analyser_version, settings_version)
     values ('aaaaaaaa-0000-4000-8000-00000000000d', 'm2', 'aaaaaaaa-0000-4000-8000-0000000000b0', 'none', 9, 9) $$,
  '42501', null, 'he can''t say that an email of hers was read, so that it never is'
);
select throws_ok(
  $$ select emails_to_analyse('aaaaaaaa-0000-4000-8000-0000000000b0', array['m1'], 9) $$, '42501', null,
  'nor ask what was read'
);

set local request.jwt.claims to '';
set local role anon;
select throws_ok('select * from processed_emails', '42501', null, 'nobody without a token sees a record');
select throws_ok($$ select coverage('2000-01-01', '2100-01-01') $$, '42501', null, 'nor counts one');

reset role;
select results_eq(
  $$ select 'read', email_id from processed_emails where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d'
     union all select 'waits', email_id from awaited_emails where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d'
     order by 2 $$,
  $$ values ('read', 'm1'), ('waits', 'm2') $$, 'the record is as the machines left it'
);

select * from finish();
rollback;
