"""A real single-node Kubernetes in a network and a mount namespace of its own.

Owns what runs in the namespaces, from the binaries to the cluster's DNS, and its removal. Leaves the images of what is
deployed to whoever deploys it, and everything inside the cluster but DNS to Pulumi.
"""
