-- Two timekeepers' entries: a machine's proof stays, a person decides, an undo is of one's own change.
begin;
select plan(24);

insert into auth.users (id, email) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example');
insert into mailboxes (id, user_id, email_address, history_id) values
  ('aaaaaaaa-0000-4000-8000-0000000000b0', 'aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example', 1);
insert into matters (id, user_id, client) values
  ('aaaaaaaa-0000-4000-8000-0000000000c0', 'aaaaaaaa-0000-4000-8000-00000000000d', 'Ortiz');

-- A machine reads an email of Dana's.
set local role service_role;
select lives_ok(
  $$ select * from record_analysis('aaaaaaaa-0000-4000-8000-00000000000d', '[{
       "email_id": "m1", "mailbox_id": "aaaaaaaa-0000-4000-8000-0000000000b0", "outcome": "entries",
       "analyser_version": 1, "settings_version": 0, "entries": [{
         "evidence_key": "k1", "duration_minutes": 24, "entry_type": "call", "date_performed": "2026-09-02",
         "client_matter": "Ortiz", "matter_id": "aaaaaaaa-0000-4000-8000-0000000000c0", "description": "Call",
         "billable": true, "confidence_score": 0.9, "extracted_text": "TC w/ Ortiz .4", "evidence": "[0,14)",
         "amount": "[12,14)", "extractor": "rules", "rounding_increment": 6, "rounding_mode": "up",
         "rounding_scope": "entry", "rounding_minimum": 0}]}]') $$, 'a reading of Dana''s email is recorded'
);

-- Dana decides.
set local request.jwt.claims to '{"sub": "aaaaaaaa-0000-4000-8000-00000000000d", "role": "authenticated"}';
set local role authenticated;
select results_eq('select extracted_text, billed_minutes from time_tracking_entries',
  $$ values ('TC w/ Ortiz .4', 24.00::numeric) $$, 'she sees it with its proof');
select lives_ok($$ update time_tracking_entries set duration_minutes = 30 $$, 'she edits how long it took');
select isnt((select edited_at from time_tracking_entries), null, 'which is remembered as hers');
select throws_ok($$ update time_tracking_entries set extracted_text = 'forged' $$, '42501', null, 'she can''t write the proof');
select throws_ok($$ update time_tracking_entries set extractor = 'person' $$, '42501', null, 'nor who found it');
select is_empty('delete from time_tracking_entries returning 1', 'nor delete what a machine found: it is dismissed instead');
select lives_ok(
  $$ select set_entry_status(array(select id from time_tracking_entries), 'approved') $$, 'she approves it'
);
select is((select undo_entry_change(id) ->> 'status' from time_tracking_entries), 'draft', 'and takes that back');
select lives_ok(
  $$ insert into time_tracking_entries (user_id, duration_minutes, entry_type, date_performed, description)
     values ('aaaaaaaa-0000-4000-8000-00000000000d', 12, 'other', '2026-09-03', 'By hand') $$, 'she adds one by hand'
);
select isnt_empty($$ delete from time_tracking_entries where extractor = 'person' returning 1 $$, 'and deletes that again');

-- Eli tries.
set local request.jwt.claims to '{"sub": "bbbbbbbb-0000-4000-8000-00000000000e", "role": "authenticated"}';
select is_empty('select * from time_tracking_entries', 'Eli sees none of it');
select is_empty(
  $$ update time_tracking_entries set description = 'x' where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d' returning 1 $$,
  'changes none of it'
);
select is_empty('delete from time_tracking_entries returning 1', 'deletes none of it');
select throws_ok(
  $$ insert into time_tracking_entries (user_id, duration_minutes, entry_type, date_performed, description)
     values ('aaaaaaaa-0000-4000-8000-00000000000d', 600, 'other', '2026-09-03', 'Eli''s') $$, '42501', null,
  'writes none in her name'
);
select throws_ok(
  $$ insert into time_tracking_entries (user_id, duration_minutes, entry_type, date_performed, description, matter_id)
     values ('bbbbbbbb-0000-4000-8000-00000000000e', 6, 'other', '2026-09-03', 'x', 'aaaaaaaa-0000-4000-8000-0000000000c0') $$,
  '23503', null, 'and none of his names her matter'
);
select throws_ok(
  $$ select record_analysis('aaaaaaaa-0000-4000-8000-00000000000d', '[]') $$, '42501', null,
  'nor does he record what a machine would'
);
select throws_ok('select * from private.entry_changes', '42501', null, 'the log of changes is not his to read');
reset role;
select set_config('tenths.story_entry', (select id::text from time_tracking_entries
  where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d'), true) is null as is_set;
set local role authenticated;
select throws_ok(
  $$ select undo_entry_change(current_setting('tenths.story_entry')::uuid) $$, 'PGRST', null,
  'undoing her change, by the very id of her entry, is as if there were none'
);
select is_empty(
  $$ select * from set_entry_status(array[current_setting('tenths.story_entry')::uuid], 'dismissed') $$,
  'nor can he dismiss it by that id'
);

-- Nobody.
set local request.jwt.claims to '';
set local role anon;
select throws_ok('select * from time_tracking_entries', '42501', null, 'nobody without a token sees an entry');

-- What is left.
reset role;
select results_eq(
  $$ select duration_minutes, status::text, description, extracted_text from time_tracking_entries
     where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d' $$,
  $$ values (30.00::numeric, 'draft', 'Call', 'TC w/ Ortiz .4') $$, 'the entry is as Dana left it'
);
select results_eq(
  $$ select kind::text, count(*) from private.entry_changes
     where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d' group by kind order by 1 $$,
  $$ values ('added', 1::bigint), ('deleted', 1), ('edited', 1) $$, 'and her changes are all on record, none of his'
);
select is((select count(*) from time_tracking_entries where user_id = 'bbbbbbbb-0000-4000-8000-00000000000e'), 0::bigint,
  'nothing is written for Eli');

select * from finish();
rollback;
