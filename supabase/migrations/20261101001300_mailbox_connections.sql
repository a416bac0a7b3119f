-- Mailboxes are connected and disconnected: consent under way, how a mailbox is entered, what is still to be given back.

-- types -----------------------------------------------------------------------------------------------------

create type public.mailbox_access as enum ('oauth', 'delegated');

-- tables ----------------------------------------------------------------------------------------------------

alter table public.mailboxes
  add column access public.mailbox_access not null default 'oauth',
  add column disconnected_at timestamptz,
  add column released_at timestamptz;
comment on column public.mailboxes.access is
  'By whose permission it is read: its owner''s (oauth), or that of the administrator of its domain (delegated).';
comment on column public.mailboxes.released_at is
  'Disconnected, and Google knows: the watch has ended and the permission is given back. Null: that is still to be done.';

alter table private.mailbox_credentials
  add column rotated_from bytea,
  add column release_tries integer not null default 0,
  add column release_at timestamptz,
  add column release_claim uuid,
  add column release_claimed_until timestamptz;
comment on column private.mailbox_credentials.rotated_from is
  'SHA-256 of what this token was encrypted to before the keys changed: by that those know it who read it just before.';
comment on column private.mailbox_credentials.release_at is
  'Of a disconnected mailbox: when to try next to tell Google. The row is deleted once Google knows.';

create table private.connection_attempts (
  id uuid primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  verifier_encrypted text not null,
  expires_at timestamptz not null,
  used_by uuid
);
comment on table private.connection_attempts is
  'A user was sent to Google for consent and is expected back. Used once: used_by names the call that did.';

-- indexes ---------------------------------------------------------------------------------------------------

create index connection_attempts_by_expiry on private.connection_attempts (expires_at);
create index connection_attempts_by_user on private.connection_attempts (user_id, expires_at);
create index mailbox_credentials_to_release on private.mailbox_credentials (release_at) where release_at is not null;

-- rights ----------------------------------------------------------------------------------------------------

alter table private.connection_attempts enable row level security;
revoke all on private.connection_attempts from anon, authenticated;
grant select, insert, update, delete on private.connection_attempts to service_role;

-- functions: connecting -------------------------------------------------------------------------------------

create function public.begin_connection(
  p_attempt_id uuid, p_user_id uuid, p_verifier_encrypted text, p_expires_at timestamptz
) returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  delete from private.connection_attempts where id in (
    select a.id from private.connection_attempts a where a.expires_at < now() limit 100 for update skip locked
  );
  -- Nobody has more consent screens open than this.
  delete from private.connection_attempts where id in (
    select a.id from private.connection_attempts a
    where a.user_id = p_user_id and a.id <> p_attempt_id order by a.expires_at desc offset 9
  );
  insert into private.connection_attempts (id, user_id, verifier_encrypted, expires_at)
  values (p_attempt_id, p_user_id, p_verifier_encrypted, p_expires_at)
  on conflict (id) do nothing;
end;
$$;
revoke execute on function public.begin_connection from public, anon, authenticated;
grant execute on function public.begin_connection to service_role;

create function public.use_connection_attempt(p_attempt_id uuid, p_user_id uuid, p_used_by uuid) returns text
language sql volatile security invoker set search_path = ''
as $$
  -- The encrypted verifier; null where it isn't this user's, is used, or is late. A call that is repeated gets it again.
  update private.connection_attempts
  set used_by = p_used_by
  where id = p_attempt_id and user_id = p_user_id and expires_at > now() and (used_by is null or used_by = p_used_by)
  returning verifier_encrypted;
$$;
revoke execute on function public.use_connection_attempt from public, anon, authenticated;
grant execute on function public.use_connection_attempt to service_role;

drop function public.connect_mailbox(uuid, text, numeric, timestamptz, text);
create function public.connect_mailbox(
  p_user_id uuid,
  p_email_address text,
  p_history_id numeric,
  p_watch_expires_at timestamptz,
  p_refresh_token_encrypted text,
  p_access public.mailbox_access default 'oauth'
) returns uuid
language plpgsql security invoker set search_path = ''
as $$
declare
  mailbox public.mailboxes;
  superseded uuid[];
begin
  -- Nobody's data are deleted while they connect a mailbox, or the permission would be forgotten and not given back.
  perform pg_advisory_xact_lock(hashtextextended(p_user_id::text, 0));
  -- A permission that the owner gave is given back by disconnecting; the administrator's would take its place unsaid.
  if p_access = 'delegated' and exists (
    select from private.mailbox_credentials c
    join public.mailboxes m on m.id = c.mailbox_id
    where m.email_address = lower(p_email_address) and m.user_id = p_user_id and m.access = 'oauth'
  ) then
    raise exception 'this mailbox is connected by its owner''s permission' using errcode = 'P0D02';
  end if;

  -- Connecting again keeps the watermark: what was sent while the mailbox was away is still to be read.
  insert into public.mailboxes as m (user_id, email_address, history_id, watch_expires_at, access)
  values (p_user_id, lower(p_email_address), p_history_id, p_watch_expires_at, p_access)
  on conflict (email_address) where state <> 'disconnected' do update
    set state = 'connected',
      catch_up_due = m.catch_up_due or m.state <> 'connected',
      watch_expires_at = excluded.watch_expires_at,
      access = excluded.access
    where m.user_id = excluded.user_id
  returning * into mailbox;
  if mailbox.id is null then
    raise exception 'this mailbox is connected by another user' using errcode = 'unique_violation';
  end if;

  -- Google knows one permission and one watch a mailbox: to give back those of an earlier connection would end this one.
  with dropped as (
    delete from private.mailbox_credentials c
    using public.mailboxes m
    where m.id = c.mailbox_id and m.email_address = mailbox.email_address and m.state = 'disconnected'
      and (c.release_claimed_until is null or c.release_claimed_until < now())
    returning c.mailbox_id
  )
  select coalesce(array_agg(d.mailbox_id), '{}') into superseded from dropped d;
  update public.mailboxes m set released_at = now() where m.id = any (superseded);
  if exists (
    select from private.mailbox_credentials c
    join public.mailboxes m on m.id = c.mailbox_id
    where m.email_address = mailbox.email_address and m.state = 'disconnected'
  ) then
    raise exception 'this mailbox is being disconnected' using errcode = 'exclusion_violation';
  end if;

  insert into private.mailbox_credentials (mailbox_id, refresh_token_encrypted)
  values (mailbox.id, p_refresh_token_encrypted)
  on conflict (mailbox_id) do update
    set refresh_token_encrypted = excluded.refresh_token_encrypted, rotated_from = null;
  return mailbox.id;
end;
$$;
revoke execute on function public.connect_mailbox from public, anon, authenticated;
grant execute on function public.connect_mailbox to service_role;

create function public.watch_started(p_mailbox_id uuid, p_watch_expires_at timestamptz) returns void
language sql volatile security invoker set search_path = ''
as $$
  update public.mailboxes set watch_expires_at = p_watch_expires_at where id = p_mailbox_id and state = 'connected';
$$;
revoke execute on function public.watch_started from public, anon, authenticated;
grant execute on function public.watch_started to service_role;

-- The one thing that is asked of Supabase's own tables, and of one user: so it has its owner's right to read them.
create function public.confirmed_address(p_user_id uuid) returns text
language sql stable security definer set search_path = ''
as $$
  select lower(u.email) from auth.users u where u.id = p_user_id and u.email_confirmed_at is not null;
$$;
revoke execute on function public.confirmed_address from public, anon, authenticated;
grant execute on function public.confirmed_address to service_role;

create function public.own_mailboxes() returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'id', m.id, 'email_address', m.email_address, 'state', m.state, 'access', m.access,
        'watch_expires_at', m.watch_expires_at, 'history_read_at', m.history_read_at, 'connected_at', m.connected_at,
        'disconnected_at', m.disconnected_at, 'released_at', m.released_at
      ) order by m.connected_at, m.id
    ), '[]'
  )
  from public.mailboxes m where m.user_id = (select auth.uid());
$$;
revoke execute on function public.own_mailboxes from public, anon, service_role;
grant execute on function public.own_mailboxes to authenticated;

-- Replaces the one of the same name; who may call it stays as it was.
create or replace function public.mark_access_revoked(p_mailbox_id uuid, p_refresh_token_encrypted text)
returns void
language sql volatile security invoker set search_path = ''
as $$
  -- Only if the token that was refused is still the one stored, be it under another key meanwhile: the owner may have
  -- connected again.
  update public.mailboxes m
  set state = 'reconnect_needed'
  from private.mailbox_credentials c
  where m.id = p_mailbox_id and c.mailbox_id = m.id and m.state = 'connected'
    and (
      c.refresh_token_encrypted = p_refresh_token_encrypted
      or c.rotated_from = sha256(convert_to(p_refresh_token_encrypted, 'UTF8'))
    );
$$;

-- functions: disconnecting ----------------------------------------------------------------------------------

create function private.release_of(p_mailbox_id uuid, p_claim uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'mailbox_id', m.id, 'access', m.access, 'refresh_token_encrypted', c.refresh_token_encrypted, 'tries', c.release_tries
  )
  from private.mailbox_credentials c
  join public.mailboxes m on m.id = c.mailbox_id
  where m.id = p_mailbox_id and c.release_claim = p_claim;
$$;
revoke execute on function private.release_of from public, anon, authenticated;
grant execute on function private.release_of to service_role;

create function private.claim_release(p_mailbox_id uuid, p_claim uuid, p_seconds integer) returns void
language sql volatile set search_path = ''
as $$
  -- The next try is set before this one, with a pause that grows to a day: whoever makes this one may die.
  update private.mailbox_credentials c
  set release_claim = p_claim,
    release_claimed_until = now() + make_interval(secs => p_seconds),
    release_tries = c.release_tries + 1,
    release_at = now() + least(interval '1 day', interval '1 minute' * 2 ^ least(c.release_tries, 11))
  where c.mailbox_id = p_mailbox_id and c.release_claim is distinct from p_claim
    and (c.release_claimed_until is null or c.release_claimed_until < now());
$$;
revoke execute on function private.claim_release from public, anon, authenticated;
grant execute on function private.claim_release to service_role;

create function public.disconnect_mailbox(p_user_id uuid, p_mailbox_id uuid, p_claim uuid, p_claim_seconds integer)
returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  mailbox public.mailboxes;
begin
  -- From here on nothing of it is read. Null: the user has no such mailbox. `release`: what Google is to be told, by
  -- whoever made the claim; null where it knows, or another is at it.
  perform from public.mailboxes m where m.id = p_mailbox_id and m.user_id = p_user_id for update;
  update public.mailboxes m
  set state = 'disconnected', disconnected_at = now(), watch_expires_at = null
  where m.id = p_mailbox_id and m.user_id = p_user_id and m.state <> 'disconnected';
  select * into mailbox from public.mailboxes m where m.id = p_mailbox_id and m.user_id = p_user_id;
  if not found then
    return null;
  end if;
  delete from public.awaited_emails a where a.mailbox_id = mailbox.id;
  perform private.claim_release(mailbox.id, p_claim, p_claim_seconds);
  return jsonb_build_object(
    'released', not exists (select from private.mailbox_credentials c where c.mailbox_id = mailbox.id),
    'release', private.release_of(mailbox.id, p_claim)
  );
end;
$$;
revoke execute on function public.disconnect_mailbox from public, anon, authenticated;
grant execute on function public.disconnect_mailbox to service_role;

create function public.claim_releases(p_claim uuid, p_most integer, p_claim_seconds integer) returns setof jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  due uuid[];
begin
  -- Disconnected mailboxes of which Google is to be told by now. A call that is repeated gets the same ones.
  select array_agg(locked.mailbox_id) into due
  from (
    select c.mailbox_id
    from private.mailbox_credentials c
    join public.mailboxes m on m.id = c.mailbox_id and m.state = 'disconnected'
    where c.release_claim = p_claim
      or c.release_at <= now() and (c.release_claimed_until is null or c.release_claimed_until < now())
    order by c.release_at
    limit p_most
    for update of c skip locked
  ) locked;
  perform private.claim_release(d.id, p_claim, p_claim_seconds) from unnest(due) as d (id);
  return query select private.release_of(d.id, p_claim) from unnest(due) as d (id);
end;
$$;
revoke execute on function public.claim_releases from public, anon, authenticated;
grant execute on function public.claim_releases to service_role;

create function public.end_release(p_mailbox_id uuid, p_claim uuid, p_is_done boolean) returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  if not p_is_done then
    -- Nobody is at it any more, so whoever owns the mailbox may connect it.
    update private.mailbox_credentials c set release_claimed_until = null
    where c.mailbox_id = p_mailbox_id and c.release_claim = p_claim;
    return;
  end if;
  delete from private.mailbox_credentials c
  using public.mailboxes m
  where m.id = c.mailbox_id and m.state = 'disconnected' and m.id = p_mailbox_id and c.release_claim = p_claim;
  if found then
    update public.mailboxes m set released_at = now() where m.id = p_mailbox_id;
    -- What a push that was under way has handed on meanwhile.
    delete from public.awaited_emails a where a.mailbox_id = p_mailbox_id;
  end if;
end;
$$;
revoke execute on function public.end_release from public, anon, authenticated;
grant execute on function public.end_release to service_role;

-- Nothing is recorded of a disconnected mailbox, whatever was under way: who records waits for who disconnects, and the
-- other way round.
create function private.only_of_mailboxes_that_are_read() returns trigger
language plpgsql set search_path = ''
as $$
begin
  -- Key share: it waits for who disconnects, and for nobody who moves a watermark.
  perform from public.mailboxes m where m.id in (select r.mailbox_id from recorded r) order by m.id for key share;
  if exists (
    select from public.mailboxes m
    where m.id in (select r.mailbox_id from recorded r) and m.state = 'disconnected'
  ) then
    raise exception 'the mailbox is disconnected' using errcode = 'P0D01';
  end if;
  return null;
end;
$$;
revoke execute on function private.only_of_mailboxes_that_are_read from public, anon, authenticated;

create trigger processed_emails_are_of_mailboxes_that_are_read after insert on public.processed_emails
  referencing new table as recorded for each statement execute function private.only_of_mailboxes_that_are_read();
create trigger processed_emails_again_are_of_mailboxes_that_are_read after update on public.processed_emails
  referencing new table as recorded for each statement execute function private.only_of_mailboxes_that_are_read();

-- functions: keys -------------------------------------------------------------------------------------------

create function public.encrypted_secrets(p_kind text, p_after uuid, p_most integer)
returns table (id uuid, encrypted text)
language sql stable security invoker set search_path = ''
as $$
  -- A page of all that lies encrypted, of one kind (token, verifier), in the order of ids.
  select s.id, s.encrypted
  from (
    select c.mailbox_id, c.refresh_token_encrypted from private.mailbox_credentials c where p_kind = 'token'
    union all
    select a.id, a.verifier_encrypted from private.connection_attempts a where p_kind = 'verifier'
  ) s (id, encrypted)
  where p_after is null or s.id > p_after
  order by s.id
  limit p_most;
$$;
revoke execute on function public.encrypted_secrets from public, anon, authenticated;
grant execute on function public.encrypted_secrets to service_role;

create function public.encrypt_again(p_kind text, p_changes jsonb) returns integer
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  changed integer;
begin
  -- Only where what was read is still there: a token that came meanwhile is under the new key anyway. Gives how many.
  with change as (
    select * from jsonb_to_recordset(p_changes) as given (id uuid, encrypted_before text, encrypted_after text)
  ), token as (
    update private.mailbox_credentials c
    set refresh_token_encrypted = x.encrypted_after, rotated_from = sha256(convert_to(x.encrypted_before, 'UTF8'))
    from change x
    where p_kind = 'token' and c.mailbox_id = x.id and c.refresh_token_encrypted = x.encrypted_before
    returning 1
  ), verifier as (
    update private.connection_attempts a
    set verifier_encrypted = x.encrypted_after
    from change x
    where p_kind = 'verifier' and a.id = x.id and a.verifier_encrypted = x.encrypted_before
    returning 1
  )
  select (select count(*) from token) + (select count(*) from verifier) into changed;
  return changed;
end;
$$;
revoke execute on function public.encrypt_again from public, anon, authenticated;
grant execute on function public.encrypt_again to service_role;
