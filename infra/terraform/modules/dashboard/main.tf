locals {
  # Two charts a row, on Cloud Monitoring's grid of 48 columns.
  width  = 24
  height = 16
}

resource "google_monitoring_dashboard" "this" {
  project = var.project

  dashboard_json = jsonencode({
    displayName = var.title

    mosaicLayout = {
      columns = 48

      tiles = [
        for place, chart in var.charts : {
          xPos   = (place % 2) * local.width
          yPos   = floor(place / 2) * local.height
          width  = local.width
          height = local.height

          widget = {
            title = chart.title

            xyChart = {
              dataSets = [
                for query in chart.queries : merge(
                  {
                    plotType   = "LINE"
                    targetAxis = "Y1"

                    timeSeriesQuery = {
                      prometheusQuery = query.promql
                      unitOverride    = chart.unit
                    }
                  },
                  query.legend == null ? {} : { legendTemplate = query.legend },
                )
              ]

              yAxis = {
                label = chart.axis
                scale = "LINEAR"
              }
            }
          }
        }
      ]
    }
  })
}
