# The state lies in a bucket that only who deploys may read. `make deploy` makes the bucket and names it here by
# -backend-config; backend.hcl.example shows the same for running terraform by hand.
terraform {
  backend "gcs" {}
}
