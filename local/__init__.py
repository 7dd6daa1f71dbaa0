"""Stands in for a cloud on one machine: the Pulumi engine, a Google Cloud stand-in and a single-node Kubernetes.

It knows nothing of the components that are deployed onto it. Outside `local.gcp` it needs Python alone, since it runs
before any package is installed.
"""
