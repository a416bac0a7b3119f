-- The mailboxes that are read: whose they are, how far their history was read, and how to get in.

-- types -----------------------------------------------------------------------------------------------------

create schema private;
comment on schema private is 'Not exposed by the API: what no user may read or call.';
revoke all on schema private from public;
grant usage on schema private to service_role;

create type public.mailbox_state as enum ('connected', 'reconnect_needed', 'disconnected');

-- tables ----------------------------------------------------------------------------------------------------

create table public.mailboxes (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  email_address text not null,
  state public.mailbox_state not null default 'connected',
  history_id numeric(20, 0) not null,
  history_read_at timestamptz not null default now(),
  catch_up_due boolean not null default false,
  watch_expires_at timestamptz,
  connected_at timestamptz not null default now()
);
comment on column public.mailboxes.history_id is
  'Watermark: every email sent up to this Gmail history id has been handed to analysis. Unsigned 64 bit.';
comment on column public.mailboxes.history_read_at is
  'When all that was sent had been handed on, as last known; a catch-up after an expired history id starts a margin before it.';
comment on column public.mailboxes.catch_up_due is
  'Connected again after it could not be read: sent mail is to be listed once, for what failed meanwhile.';

create table private.mailbox_credentials (
  mailbox_id uuid primary key references public.mailboxes (id) on delete cascade,
  refresh_token_encrypted text not null
);

-- constraints -----------------------------------------------------------------------------------------------

alter table public.mailboxes
  add constraint mailboxes_email_address_is_lower_case check (email_address = lower(email_address)),
  add constraint mailboxes_email_address_has_an_at check (email_address like '%_@_%'),
  add constraint mailboxes_history_id_is_unsigned_64_bit check (history_id between 0 and 18446744073709551615),
  -- What a row about an email points at, so that it can't name one user and the mailbox of another.
  add constraint mailboxes_id_and_owner unique (id, user_id);

-- indexes ---------------------------------------------------------------------------------------------------

-- A push names an address only, so an address leads to one mailbox. Once disconnected, whoever owns it may connect it.
create unique index mailboxes_address_is_connected_once on public.mailboxes (email_address)
  where state <> 'disconnected';
create index mailboxes_by_user on public.mailboxes (user_id);

-- rights ----------------------------------------------------------------------------------------------------

alter table public.mailboxes enable row level security;
alter table private.mailbox_credentials enable row level security;
revoke all on public.mailboxes from anon, authenticated;
revoke all on private.mailbox_credentials from anon, authenticated;
grant select on public.mailboxes to authenticated;
grant select, insert, update, delete on public.mailboxes, private.mailbox_credentials to service_role;

-- Connecting, reading on and disconnecting are the functions' work: no policy lets a user write here.
create policy "Users see their own mailboxes" on public.mailboxes
  for select to authenticated using ((select auth.uid()) = user_id);

-- functions -------------------------------------------------------------------------------------------------

create function public.connect_mailbox(
  p_user_id uuid,
  p_email_address text,
  p_history_id numeric,
  p_watch_expires_at timestamptz,
  p_refresh_token_encrypted text
) returns uuid
language plpgsql security invoker set search_path = ''
as $$
declare
  mailbox public.mailboxes;
begin
  -- Connecting again keeps the watermark: what was sent while the mailbox was away is still to be read.
  insert into public.mailboxes as m (user_id, email_address, history_id, watch_expires_at)
  values (p_user_id, lower(p_email_address), p_history_id, p_watch_expires_at)
  on conflict (email_address) where state <> 'disconnected' do update
    set state = 'connected',
      catch_up_due = m.catch_up_due or m.state <> 'connected',
      watch_expires_at = excluded.watch_expires_at
    where m.user_id = excluded.user_id
  returning * into mailbox;
  if mailbox.id is null then
    raise exception 'this mailbox is connected by another user' using errcode = 'unique_violation';
  end if;
  insert into private.mailbox_credentials (mailbox_id, refresh_token_encrypted)
  values (mailbox.id, p_refresh_token_encrypted)
  on conflict (mailbox_id) do update set refresh_token_encrypted = excluded.refresh_token_encrypted;
  return mailbox.id;
end;
$$;
revoke execute on function public.connect_mailbox from public, anon, authenticated;
grant execute on function public.connect_mailbox to service_role;

create function public.mailbox_by_address(p_email_address text)
returns table (
  id uuid,
  user_id uuid,
  state public.mailbox_state,
  history_id text,
  history_read_at timestamptz,
  catch_up_due boolean,
  refresh_token_encrypted text
)
language sql stable security invoker set search_path = ''
as $$
  select m.id, m.user_id, m.state, m.history_id::text, m.history_read_at, m.catch_up_due,
    c.refresh_token_encrypted
  from public.mailboxes m
  join private.mailbox_credentials c on c.mailbox_id = m.id
  where m.email_address = lower(p_email_address) and m.state <> 'disconnected';
$$;
revoke execute on function public.mailbox_by_address from public, anon, authenticated;
grant execute on function public.mailbox_by_address to service_role;

create function public.advance_watermark(p_mailbox_id uuid, p_history_id numeric, p_up_to_date boolean, p_caught_up boolean)
returns text
language sql volatile security invoker set search_path = ''
as $$
  -- A late or repeated push can't move it back.
  update public.mailboxes
  set history_id = greatest(history_id, p_history_id),
    history_read_at = case when p_up_to_date then now() else history_read_at end,
    catch_up_due = catch_up_due and not p_caught_up
  where id = p_mailbox_id
  returning history_id::text;
$$;
revoke execute on function public.advance_watermark from public, anon, authenticated;
grant execute on function public.advance_watermark to service_role;

create function public.mark_access_revoked(p_mailbox_id uuid, p_refresh_token_encrypted text)
returns void
language sql volatile security invoker set search_path = ''
as $$
  -- Only if the token that was refused is still the one stored: the owner may have connected again meanwhile.
  update public.mailboxes m
  set state = 'reconnect_needed'
  from private.mailbox_credentials c
  where m.id = p_mailbox_id and c.mailbox_id = m.id and c.refresh_token_encrypted = p_refresh_token_encrypted
    and m.state = 'connected';
$$;
revoke execute on function public.mark_access_revoked from public, anon, authenticated;
grant execute on function public.mark_access_revoked to service_role;
