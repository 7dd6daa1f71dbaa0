"""Tests of the ingress controller's stand-in that need no cluster; those that do are in tests/node."""
