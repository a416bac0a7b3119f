-- What a new Supabase project has before its first migration, as far as this system touches it.
-- As permissive as the real one: whatever is created in schema public is granted to the API's roles, so that
-- migrations have to revoke here what they have to revoke there. Run by the superuser, in one transaction.

-- Roles: the project's own, no superuser but past RLS, and those that PostgREST takes for a request.
create role postgres login createdb createrole replication bypassrls;
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend, pg_checkpoint to postgres;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';

alter database postgres owner to postgres;
alter database postgres set search_path to "$user", public, extensions;

-- Extensions that Supabase preinstalls; not every build of Postgres ships all of them.
create schema extensions;
grant usage on schema extensions to postgres, anon, authenticated, service_role;
grant create on schema extensions to postgres;

do $$
declare
    wanted text;
begin
    foreach wanted in array array['pgcrypto', 'uuid-ossp', 'pg_stat_statements'] loop
        if exists (select from pg_available_extensions where name = wanted) then
            execute format('create extension %I with schema extensions', wanted);
        end if;
    end loop;
end
$$;

-- Auth: users, and who is asking. PostgREST leaves the verified token's claims in a setting of the transaction.
create schema auth;

create table auth.users (
    id uuid primary key,
    email text,
    email_confirmed_at timestamptz,
    created_at timestamptz not null default now()
);

create function auth.jwt() returns jsonb
    language sql stable
    return nullif(current_setting('request.jwt.claims', true), '')::jsonb;

create function auth.uid() returns uuid
    language sql stable
    return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;

create function auth.role() returns text
    language sql stable
    return nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role';

grant usage on schema auth to postgres, anon, authenticated, service_role;
grant select, insert, update, delete, truncate, references, trigger on auth.users to postgres;

-- Public: open to the API's roles, now and for whatever comes.
grant usage on schema public to postgres, anon, authenticated, service_role;
grant create on schema public to postgres;

alter default privileges for role postgres in schema public
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on sequences to postgres, anon, authenticated, service_role;

-- PostgREST reads the schema once; Supabase tells it of every change to it. Not of what comes and goes with a refresh.
create function extensions.pgrst_ddl_watch() returns event_trigger
    language plpgsql
    set search_path = ''
    as $$
begin
    if exists (
        select from pg_catalog.pg_event_trigger_ddl_commands() c
        where c.command_tag <> 'REFRESH MATERIALIZED VIEW' and c.schema_name is distinct from 'pg_temp'
    ) then
        notify pgrst, 'reload schema';
    end if;
end
$$;

create function extensions.pgrst_drop_watch() returns event_trigger
    language plpgsql
    set search_path = ''
    as $$
begin
    if exists (select from pg_catalog.pg_event_trigger_dropped_objects() o where not o.is_temporary) then
        notify pgrst, 'reload schema';
    end if;
end
$$;

create event trigger pgrst_ddl_watch on ddl_command_end
    execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop
    execute function extensions.pgrst_drop_watch();
