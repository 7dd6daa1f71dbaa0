"""The `prod` stack, for real, with stand-ins for what only Google and a cluster's own controllers have."""
