-- Rescans: a mailbox's past read again, page by page.

-- types -----------------------------------------------------------------------------------------------------

create type public.rescan_state as enum ('queued', 'running', 'done', 'cancelled', 'failed');

-- table -----------------------------------------------------------------------------------------------------

create table public.rescan_jobs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  mailbox_id uuid not null,
  state public.rescan_state not null default 'queued',
  range_start timestamptz not null,
  range_end timestamptz not null,
  query_filter text,
  client_filter text,
  page_token text,
  listed integer not null default 0,
  processed integer not null default 0,
  failed integer not null default 0,
  entries_found integer not null default 0,
  failure text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- constraints -----------------------------------------------------------------------------------------------

alter table public.rescan_jobs
  add constraint rescan_jobs_of_a_mailbox_of_the_user
    foreign key (mailbox_id, user_id) references public.mailboxes (id, user_id) on delete cascade,
  add constraint rescan_jobs_range_has_a_start_and_an_end check (range_start < range_end),
  add constraint rescan_jobs_failed_say_why check ((state = 'failed') = (failure is not null)),
  add constraint rescan_jobs_counts_are_counts check (least(listed, processed, failed, entries_found) >= 0);

-- indexes ---------------------------------------------------------------------------------------------------

create unique index rescan_jobs_one_at_a_time_a_mailbox on public.rescan_jobs (mailbox_id)
  where state in ('queued', 'running');
create index rescan_jobs_by_user on public.rescan_jobs (user_id, created_at desc);

-- rights ----------------------------------------------------------------------------------------------------

alter table public.rescan_jobs enable row level security;
revoke all on public.rescan_jobs from anon, authenticated;
grant select on public.rescan_jobs to authenticated;
grant select, insert, update, delete on public.rescan_jobs to service_role;

-- Jobs are started and cancelled through the functions: no policy lets a user write here.
create policy "Users see their own rescans" on public.rescan_jobs
  for select to authenticated using ((select auth.uid()) = user_id);
