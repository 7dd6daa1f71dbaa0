"""The cluster: minikube on Docker, as people know both.

Owns finding Docker, minikube and kubectl, installing or building what is missing, and the start, stop and removal of an
instance's profile. Leaves the server's image to `local.image`, and everything inside the cluster to Pulumi.
"""
