"""Stands in for a cloud on one machine: the Pulumi engine, a Google Cloud stand-in, Docker and minikube.

It knows nothing of the components that are deployed onto it. It needs Python alone, since it runs before any package is
installed; only the programs `python -m local.gcp` and `python -m local.ingress`, which it starts, need more.
"""
