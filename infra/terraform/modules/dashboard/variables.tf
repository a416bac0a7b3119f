variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "title" {
  description = "The dashboard's name."
  type        = string
}

variable "charts" {
  description = "In reading order: a title, the axis' name, the unit (UCUM: s, 1, By), and lines, with what the legend calls them (unset: by their labels)."
  type = list(object({
    title = string
    axis  = string
    unit  = optional(string, "1")
    queries = list(object({
      promql = string
      legend = optional(string)
    }))
  }))
}
