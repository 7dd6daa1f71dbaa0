"""Tests of the local single-node Kubernetes."""
