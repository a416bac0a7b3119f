-- One entry in a thousand is edited, as it happens between two refreshes.
update public.time_tracking_entries e
set duration_minutes = 5.4 * (1 + floor(random() * 40))
where e.id in (
  select drawn.id from public.time_tracking_entries drawn tablesample bernoulli (0.1)
);
