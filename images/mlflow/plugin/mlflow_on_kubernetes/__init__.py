"""A plugin of MLflow, by its own plugin points: what its server lacks to be run by many, on Kubernetes, for long.

One idea a module; `app` puts them together.
"""
