-- Two timekeepers ask for all that is stored about them; one has it deleted, and the other keeps every row.
begin;
select plan(19);

insert into auth.users (id, email) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example');
insert into mailboxes (id, user_id, email_address, history_id) values
  ('aaaaaaaa-0000-4000-8000-0000000000b0', 'aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example', 1),
  ('bbbbbbbb-0000-4000-8000-0000000000b0', 'bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example', 1);
insert into private.mailbox_credentials (mailbox_id, refresh_token_encrypted)
  values ('aaaaaaaa-0000-4000-8000-0000000000b0', 'cipher-d');
insert into awaited_emails (user_id, mailbox_id, email_id) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 'aaaaaaaa-0000-4000-8000-0000000000b0', 'm1'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 'bbbbbbbb-0000-4000-8000-0000000000b0', 'm1');

set local request.jwt.claims to '{"sub": "aaaaaaaa-0000-4000-8000-00000000000d", "role": "authenticated"}';
set local role authenticated;
insert into matters (user_id, client) values ('aaaaaaaa-0000-4000-8000-00000000000d', 'Ortiz');
insert into time_tracking_entries (user_id, duration_minutes, entry_type, date_performed, description, client_matter)
  values ('aaaaaaaa-0000-4000-8000-00000000000d', 60, 'call', '2026-09-02', 'Call', 'Ortiz');
select is(my_rows('time_tracking_entries', null, 10) -> 'rows' -> 0 ->> 'description', 'Call', 'Dana is given her entry');
select is(my_rows('mailboxes', null, 10) #>> '{rows,0,email_address}', 'dana@firm.example', 'her mailbox');
select is(my_hidden_rows('entry_changes', null, 10) #>> '{rows,0,kind}', 'added', 'what she has changed');
select is(my_hidden_rows('auth.users', null, 10) #>> '{rows,0,email}', 'dana@firm.example', 'and who she is to Supabase');
select throws_ok($$ select my_rows('mailbox_credentials', null, 10) $$, '22023', null, 'what opens her mailbox she is not');
select throws_ok($$ select my_hidden_rows('mailbox_credentials', null, 10) $$, '22023', null, 'that way neither');
select throws_ok($$ select my_rows('matters; drop table x', null, 10) $$, '22023', null, 'no table is made up');

set local request.jwt.claims to '{"sub": "bbbbbbbb-0000-4000-8000-00000000000e", "role": "authenticated"}';
select is(my_rows('time_tracking_entries', null, 10) -> 'rows', '[]'::jsonb, 'Eli is given none of her entries');
select is(my_hidden_rows('entry_changes', null, 10) -> 'rows', '[]'::jsonb, 'and none of her changes');
select throws_ok(
  $$ select rows_of_user('aaaaaaaa-0000-4000-8000-00000000000d', 'mailboxes', null, 10, false) $$, '42501', null,
  'he can''t ask in her name'
);
select throws_ok($$ select erase_user_data('aaaaaaaa-0000-4000-8000-00000000000d', true) $$, '42501', null,
  'nor have her erased');
select throws_ok($$ select left_of_user('aaaaaaaa-0000-4000-8000-00000000000d') $$, '42501', null,
  'nor ask whether she is there');
set local request.jwt.claims to '';
select throws_ok($$ select my_hidden_rows('auth.users', null, 10) $$, '42501', null, 'without a user there is nothing to give');

set local role service_role;
select is(erase_user_data('aaaaaaaa-0000-4000-8000-00000000000d', false) ->> 'verdict', 'connected',
  'she is not erased while Google still lets us in');
select is(my_count.n, 1::bigint, 'and nothing of hers is gone')
  from (select count(*) as n from time_tracking_entries where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d') my_count;
select is(erase_user_data('aaaaaaaa-0000-4000-8000-00000000000d', true) -> 'deleted',
  '{"public.matters": 1, "public.mailboxes": 1, "public.awaited_emails": 1, "private.entry_changes": 1,
    "public.time_tracking_entries": 1, "public.time_tracking_settings": 1, "private.mailbox_credentials": 1}'::jsonb,
  'then all of hers is, and it says what');
select lives_ok('select refresh_summaries()', 'the sums are refreshed');
select is(left_of_user('aaaaaaaa-0000-4000-8000-00000000000d'), '{}'::jsonb, 'nothing of hers is left');
select is(left_of_user('bbbbbbbb-0000-4000-8000-00000000000e'),
  '{"public.mailboxes": 1, "public.awaited_emails": 1}'::jsonb, 'and all of Eli''s is');

select * from finish();
rollback;
