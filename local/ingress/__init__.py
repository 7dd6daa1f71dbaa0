"""A stand-in for an ingress controller: Debian's nginx, configured from Ingress objects and their TLS Secrets.

`python -m local.ingress` watches the cluster and keeps nginx's configuration; nginx itself is another
background program, so that it serves on when the first one ends. The names, the annotations and what they mean are
those of ingress-nginx, as far as they go; an Event names every other annotation of that prefix as having no effect.

The controller needs the packages of requirements-local.txt. This module and `local.ingress.program` do not: the command
line imports them before any package is installed.
"""

CLASS = "nginx"
"""The `ingressClassName` of the Ingresses that are served; the IngressClass is made when it starts."""

CONTROLLER = "mlflow-local/nginx-stand-in"
"""What the IngressClass names as its controller."""

HTTP_PORT, HTTPS_PORT = 80, 443
"""The ports on the node's address."""
