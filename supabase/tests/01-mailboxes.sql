-- Two timekeepers and their mailboxes: seen by their owner, written by the machines, opened by nobody else.
begin;
select plan(19);

insert into auth.users (id, email) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example');

-- Machines connect a mailbox for its owner.
set local role service_role;
select isnt(
  connect_mailbox('aaaaaaaa-0000-4000-8000-00000000000d', 'Dana@Firm.example', 100, now() + interval '7 days', 'cipher-d'),
  null, 'a mailbox is connected for Dana'
);
select lives_ok(
  $$ select connect_mailbox('bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example', 200, null, 'cipher-e') $$,
  'and one for Eli'
);
select throws_ok(
  $$ select connect_mailbox('bbbbbbbb-0000-4000-8000-00000000000e', 'dana@firm.example', 300, null, 'cipher-x') $$,
  '23505', null, 'a mailbox that Dana has connected is not Eli''s to connect'
);
select is(
  (select refresh_token_encrypted from mailbox_by_address('dana@firm.example')), 'cipher-d',
  'and its token is still the one that Dana gave'
);

-- Dana sees hers.
set local request.jwt.claims to '{"sub": "aaaaaaaa-0000-4000-8000-00000000000d", "role": "authenticated"}';
set local role authenticated;
select results_eq('select email_address, state::text from mailboxes',
  $$ values ('dana@firm.example', 'connected') $$, 'Dana sees her mailbox and no other');
select throws_ok('select refresh_token_encrypted from private.mailbox_credentials', '42501', null,
  'what opens it is not even hers to read');
select throws_ok($$ update mailboxes set history_id = 1 $$, '42501', null, 'how far it is read is not hers to write');
select throws_ok('delete from mailboxes', '42501', null, 'nor is it hers to delete behind the machines'' back');

-- Eli tries.
set local request.jwt.claims to '{"sub": "bbbbbbbb-0000-4000-8000-00000000000e", "role": "authenticated"}';
select results_eq('select email_address from mailboxes', $$ values ('eli@firm.example') $$, 'Eli sees his own');
select is_empty(
  $$ select * from mailboxes where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d' or email_address like 'dana%' $$,
  'asking for Dana''s by her id or address shows him nothing'
);
select throws_ok(
  $$ insert into mailboxes (user_id, email_address, history_id)
     values ('bbbbbbbb-0000-4000-8000-00000000000e', 'partner@firm.example', 1) $$,
  '42501', null, 'he can''t claim an address'
);
select throws_ok($$ select connect_mailbox('bbbbbbbb-0000-4000-8000-00000000000e', 'x@firm.example', 1, null, 'x') $$,
  '42501', null, 'nor call what machines connect with');
select throws_ok($$ select * from mailbox_by_address('dana@firm.example') $$, '42501', null,
  'nor what they look tokens up with');
select throws_ok(
  $$ select advance_watermark((select id from mailboxes limit 1), 999, true, true) $$, '42501', null,
  'nor move a watermark'
);

-- Nobody.
set local request.jwt.claims to '';
set local role anon;
select throws_ok('select * from mailboxes', '42501', null, 'nobody without a token sees a mailbox');
select throws_ok($$ select * from mailbox_by_address('dana@firm.example') $$, '42501', null, 'nor calls for one');

-- What is left after all that.
reset role;
select results_eq(
  $$ select email_address, history_id::text, state::text from mailboxes where email_address like '%@firm.example' order by 1 $$,
  $$ values ('dana@firm.example', '100', 'connected'), ('eli@firm.example', '200', 'connected') $$,
  'both mailboxes are as they were'
);
select results_eq(
  $$ select refresh_token_encrypted from private.mailbox_credentials c
     join mailboxes m on m.id = c.mailbox_id where m.email_address like '%@firm.example' order by 1 $$,
  $$ values ('cipher-d'), ('cipher-e') $$, 'and so is what opens them'
);
delete from auth.users where id = 'aaaaaaaa-0000-4000-8000-00000000000d';
select is(
  (select count(*) from private.mailbox_credentials where refresh_token_encrypted = 'cipher-d'), 0::bigint,
  'with the user go mailbox and token'
);

select * from finish();
rollback;
