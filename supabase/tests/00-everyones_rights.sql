-- Rights of everything there is, from the catalog: what a new table, view or function must not forget.
begin;
select plan(12);

select is_empty(
  $$ select relname::text from pg_class
     where relnamespace in ('public'::regnamespace, 'private'::regnamespace) and relkind in ('r', 'p') and not relrowsecurity $$,
  'every table has row level security, also in the schema that the API does not expose'
);
select is_empty(
  $$ select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm', 'f') $$,
  'the API exposes no view, which would show rows with the rights of its owner'
);
select is_empty(
  $$ select tablename || ': ' || policyname from pg_policies where schemaname = 'public' and roles <> '{authenticated}' $$,
  'each policy is for signed-in users and for nobody else'
);
select is_empty(
  $$ select tablename || ': ' || policyname from pg_policies
     where schemaname = 'public'
       and (permissive <> 'PERMISSIVE' or cmd = 'ALL'
         or (qual is not null and qual !~ '\( SELECT auth\.uid\(\) AS uid\) = user_id')
         or (with_check is not null and with_check !~ '\( SELECT auth\.uid\(\) AS uid\) = user_id')
         or coalesce(qual, with_check) is null
         or coalesce(qual, '') || coalesce(with_check, '') ~* '\mor\M') $$,
  'each policy is of one command and asks whose row it is, once a query'
);
select is_empty(
  $$ select tablename || ': ' || policyname from pg_policies where schemaname = 'private' $$,
  'nothing private has a policy: nobody but its owner and the machines gets at it'
);
select is_empty(
  $$ select c.oid::regclass::text || ': ' || p.privilege
     from pg_class c
     cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as p (privilege)
     where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and has_table_privilege('anon', c.oid, p.privilege) $$,
  'nobody without a token has any right to a table or view'
);
select is_empty(
  $$ select c.oid::regclass::text || '.' || a.attname || ': ' || p.privilege
     from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     cross join unnest(array['select', 'insert', 'update', 'references']) as p (privilege)
     where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and has_column_privilege('anon', c.oid, a.attnum, p.privilege) $$,
  'nor to a column'
);
select is_empty(
  $$ select p.oid::regprocedure::text from pg_proc p
     where p.pronamespace = 'public'::regnamespace and has_function_privilege('anon', p.oid, 'execute') $$,
  'nobody without a token may call a function of the API'
);
select is_empty(
  $$ select p.oid::regprocedure::text from pg_proc p
     where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace) and p.prosecdef
       and not coalesce('search_path=""' = any (p.proconfig), false) $$,
  'every function with its owner''s rights looks names up nowhere but where it says'
);
select is_empty(
  $$ select p.oid::regprocedure::text from pg_proc p
     where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace) and p.prosecdef
       and (has_function_privilege('anon', p.oid, 'execute')
         or exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)) $$,
  'nor may everybody call any of those, wherever it lies'
);
select is_empty(
  $$ select p.oid::regprocedure::text from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and has_function_privilege('authenticated', p.oid, 'execute')
         = has_function_privilege('service_role', p.oid, 'execute') $$,
  'each function of the API is the users'' or the machines'', and never both''s'
);
select is_empty(
  $$ select c.oid::regclass::text || ': ' || p.privilege
     from pg_class c
     cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) as p (privilege)
     where c.relnamespace = 'private'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and has_table_privilege('authenticated', c.oid, p.privilege) $$,
  'users have no right to what is private'
);

select * from finish();
rollback;
