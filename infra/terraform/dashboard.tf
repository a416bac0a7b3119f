# One screen, in the order in which one looks: do entries come, does anything fail, does anything wait, what is used up.
module "dashboard" {
  source = "./modules/dashboard"

  project = var.project
  title   = "Tenths"

  charts = [
    {
      title = "From sending to entry"
      axis  = "seconds"
      unit  = "s"
      queries = [
        { promql = local.queries.lag_p50, legend = "half of them within" },
        { promql = local.queries.lag_p95, legend = "19 of 20 within" },
      ]
    },
    { title = "Emails put on record", axis = "a second", queries = [{ promql = local.queries.emails }] },
    { title = "Deliveries", axis = "a second", queries = [{ promql = local.queries.deliveries }] },
    { title = "Requests", axis = "a second", queries = [{ promql = local.queries.requests }] },
    { title = "Server errors", axis = "share", queries = [{ promql = local.queries.error_share }] },
    { title = "Oldest message that waits", axis = "seconds", unit = "s", queries = [{ promql = local.queries.backlog_age }] },
    {
      title = "What needs a person"
      axis  = "number"
      queries = [
        { promql = local.queries.dead_letters, legend = "dead letters" },
        { promql = local.queries.kept, legend = "dead letters given up" },
        { promql = local.queries.lapsing, legend = "watches that end within a day" },
        { promql = local.queries.lapsed, legend = "watches that have ended" },
        { promql = local.queries.missed_jobs, legend = "failed calls of maintenance" },
      ]
    },
    { title = "Oldest email that waits", axis = "seconds", unit = "s", queries = [{ promql = local.queries.waiting, legend = "handed on and not on record" }] },
    {
      title = "Gmail's quota in use"
      axis  = "share"
      queries = [
        { promql = local.queries.project_used, legend = "of the project's" },
        { promql = local.queries.mailbox_used, legend = "of the fullest mailbox's" },
      ]
    },
    { title = "Waits for Gmail's quota", axis = "seconds", unit = "s", queries = [{ promql = local.queries.quota_waits, legend = "19 of 20 within" }] },
    { title = "Settled without the model", axis = "in 15 minutes", queries = [{ promql = local.queries.fallbacks, legend = "emails" }] },
    { title = "Memory in use, 99th percentile", axis = "share", queries = [{ promql = local.queries.memory }] },
    { title = "Instances", axis = "number", queries = [{ promql = local.queries.instances }] },
  ]

  depends_on = [google_project_service.this]
}
