"""The Pulumi engine and its plugins, built from Go modules on machines that have none."""
