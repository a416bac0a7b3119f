-- Two timekeepers set how they want time found, and list their matters: each their own, neither the other's.
begin;
select plan(18);

insert into auth.users (id, email) values
  ('aaaaaaaa-0000-4000-8000-00000000000d', 'dana@firm.example'),
  ('bbbbbbbb-0000-4000-8000-00000000000e', 'eli@firm.example');

-- Dana sets hers.
set local request.jwt.claims to '{"sub": "aaaaaaaa-0000-4000-8000-00000000000d", "role": "authenticated"}';
set local role authenticated;
select lives_ok(
  $$ insert into time_tracking_settings (user_id, rounding_increment, analysis_mode)
     values ('aaaaaaaa-0000-4000-8000-00000000000d', 15, 'rules_only') $$, 'Dana makes her settings'
);
select lives_ok(
  $$ insert into matters (user_id, client, matter, aliases)
     values ('aaaaaaaa-0000-4000-8000-00000000000d', 'Ortiz', 'Wage claim', '{Ray}') $$, 'and lists a matter'
);
select lives_ok($$ update time_tracking_settings set hourly_rate = 410 $$, 'she changes her rate');
select results_eq('select version, hourly_rate from time_tracking_settings', $$ values (2 + 1, 410.00::numeric) $$,
  'and the version rises with every change, also of the directory');
select throws_ok('update time_tracking_settings set version = 1', '42501', null, 'the version is not hers to write');
select throws_ok('delete from time_tracking_settings', '42501', null, 'nor are settings deleted, which would begin it anew');

-- Eli tries.
set local request.jwt.claims to '{"sub": "bbbbbbbb-0000-4000-8000-00000000000e", "role": "authenticated"}';
select is_empty('select * from time_tracking_settings', 'Eli sees no settings but his own, of which there are none');
select is_empty('select * from matters', 'nor Dana''s clients');
select throws_ok(
  $$ insert into time_tracking_settings (user_id) values ('aaaaaaaa-0000-4000-8000-00000000000d') $$, '42501', null,
  'he can''t make settings in her name'
);
select throws_ok(
  $$ insert into matters (user_id, client) values ('aaaaaaaa-0000-4000-8000-00000000000d', 'Eli''s') $$, '42501', null,
  'nor list a matter in her name'
);
select is_empty(
  $$ update time_tracking_settings set analysis_mode = 'full' where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d'
     returning 1 $$, 'what a model may see of her mail he can''t widen'
);
select is_empty($$ delete from matters where client = 'Ortiz' returning 1 $$, 'nor remove her matter');
insert into matters (user_id, client) values ('bbbbbbbb-0000-4000-8000-00000000000e', 'Hollis');
select throws_ok(
  $$ update matters set user_id = 'aaaaaaaa-0000-4000-8000-00000000000d' $$, '42501', null,
  'nor give her one of his'
);
select lives_ok(
  $$ select change_configuration('{"hourly_rate": 1}', '[]', '[{"client": "Ortiz", "matter": "Wage claim"}]') $$,
  'his configuration call, naming her matter, is a call about his own'
);

-- Nobody.
set local request.jwt.claims to '';
set local role anon;
select throws_ok('select * from time_tracking_settings', '42501', null, 'nobody without a token sees settings');
select throws_ok($$ select change_configuration('{}', '[]', '[]') $$, '42501', null, 'nor changes any');

-- What is left.
reset role;
select results_eq(
  $$ select rounding_increment::integer, analysis_mode::text, hourly_rate from time_tracking_settings
     where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d' $$,
  $$ values (15, 'rules_only', 410.00::numeric) $$, 'Dana''s settings are as she set them'
);
select results_eq(
  $$ select client, matter from matters where user_id = 'aaaaaaaa-0000-4000-8000-00000000000d' $$,
  $$ values ('Ortiz', 'Wage claim') $$, 'and her directory as she listed it'
);

select * from finish();
rollback;
