locals {
  log_metric = "logging_googleapis_com:user_alta"
  in_run     = "monitored_resource=\"cloud_run_revision\""

  # Title → PromQL; two tiles a row, in this order.
  charts = [
    { title = "Requests a second, by function", query = "sum by (function) (rate(${local.log_metric}_requests{${local.in_run}}[5m]))" },
    { title = "Latency in s, 95 of 100, by function", query = "histogram_quantile(0.95, sum by (le, function) (rate(${local.log_metric}_request_latency_bucket{${local.in_run}}[5m])))" },
    { title = "Answers a second, by status", query = "sum by (status) (rate(${local.log_metric}_requests{${local.in_run}}[5m]))" },
    { title = "Sign-ins a minute, by status", query = "60 * sum by (status) (rate(${local.log_metric}_sign_ins{${local.in_run}}[5m]))" },
    { title = "Files taken in a minute, by kind", query = "60 * sum by (kind) (rate(${local.log_metric}_uploaded{${local.in_run}}[5m]))" },
    { title = "Files recognised a minute, by kind", query = "60 * sum by (kind) (rate(${local.log_metric}_processed{${local.in_run}}[5m]))" },
    { title = "Files failed for good a minute, by reason", query = "60 * sum by (code) (rate(${local.log_metric}_failed{${local.in_run}}[5m]))" },
    { title = "Hit rate of the cache of callers", query = "sum(rate(${local.log_metric}_caller_lookups{${local.in_run}, outcome=\"hit\"}[5m])) / sum(rate(${local.log_metric}_caller_lookups{${local.in_run}}[5m]))" },
    { title = "Hit rate of the cache of projects", query = "sum(rate(${local.log_metric}_project_lookups{${local.in_run}, outcome=\"hit\"}[5m])) / sum(rate(${local.log_metric}_project_lookups{${local.in_run}}[5m]))" },
    { title = "Events waiting", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\"})" },
    { title = "Age of the oldest event, s", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\"})" },
    { title = "Tasks waiting", query = "max by (queue_id) (cloudtasks_googleapis_com:queue_depth{monitored_resource=\"cloud_tasks_queue\"})" },
    { title = "Delay of tasks in ms, 95 of 100", query = "histogram_quantile(0.95, sum by (le, queue_id) (rate(cloudtasks_googleapis_com:queue_task_attempt_delays_bucket{monitored_resource=\"cloud_tasks_queue\"}[5m])))" },
    { title = "Dead letters an hour", query = "sum by (subscription_id) (increase(pubsub_googleapis_com:subscription_dead_letter_message_count{monitored_resource=\"pubsub_subscription\"}[1h]))" },
    { title = "Instances, by function", query = "max by (service_name) (run_googleapis_com:container_instance_count{${local.in_run}})" },
  ]
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = jsonencode({
    displayName = "Alta"
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, chart in local.charts : {
          xPos   = 6 * (index % 2)
          yPos   = 4 * floor(index / 2)
          width  = 6
          height = 4
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{ timeSeriesQuery = { prometheusQuery = chart.query }, plotType = "LINE" }]
            }
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.counted, google_logging_metric.latency]
}
