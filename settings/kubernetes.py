"""What Kubernetes accepts: quantities, node ports, image references and addresses of nodes."""

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal

_SUFFIXES = {
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
}
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([A-Za-z]*)|[eE]([+-]?[0-9]{1,2}))")
_LARGEST = Decimal(2**63 - 1)
_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MOST_PODS = 150_000
"""Of a cluster: kubernetes.io/docs/setup/best-practices/cluster-large."""
_DOMAIN_PART = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?P<name>(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::(?P<port>[0-9]{{1,5}}))?/)?{_NAME_PART}(?:/{_NAME_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def parse_quantity(value: str) -> Decimal | None:
    """Return the quantity in its base unit (CPUs, bytes), or None where Kubernetes cannot parse it.

    The grammar is the one of k8s.io/apimachinery/pkg/api/resource.Quantity: a number with a binary suffix (Ki to Ei), a
    decimal one (n to E) or an exponent, at most 2**63 - 1, to which Kubernetes would cut it down.
    """
    match = _QUANTITY.fullmatch(value)
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    scale = _SUFFIXES.get(suffix) if exponent is None else Decimal(10) ** int(exponent)
    if scale is None or Decimal(number) * scale > _LARGEST:
        return None
    return Decimal(number) * scale


def cpu(value: str) -> str | None:
    """Hold an amount of CPU against kubernetes.io/docs/concepts/configuration/manage-resources-containers."""
    remedy = "write a number of CPUs such as 1 or 0.5, or thousandths such as 500m"
    return _quantity(value, Decimal("0.001"), "a thousandth of a CPU", remedy)


def memory(value: str) -> str | None:
    """Hold an amount of memory, or of disk, against the page that `cpu` names."""
    return _quantity(value, Decimal(1), "a byte", "write bytes with a suffix, such as 512Mi or 1Gi")


def pods(least: int) -> Callable[[int], str | None]:
    """Return the rule that a number of pods is one that a cluster can have."""
    remedy = f"write {least} to {_MOST_PODS}; Kubernetes runs no more pods in a cluster"
    return lambda value: None if least <= value <= _MOST_PODS else remedy


def node_port(value: int) -> str | None:
    """Hold a port against the range that kube-apiserver keeps for NodePort Services."""
    if 30000 <= value <= 32767:  # noqa: PLR2004 - --service-node-port-range's default
        return None
    return "Kubernetes opens ports 30000 to 32767 on its nodes; take one of them, such as 30001"


def image(value: str) -> str | None:
    """Hold an image against the reference grammar of the OCI distribution; it must say which build it means.

    Registry and name have at most 255 characters together.
    """
    remedy = "name one build by its tag or digest, such as mlflow-tracking-server:3.17.2"
    reference = _IMAGE.fullmatch(value)
    if reference is None or not 0 < int(reference["port"] or 443) < 2**16:
        return f"it is not an image with a tag; {remedy}"
    if len(reference["name"]) > 255:  # noqa: PLR2004 - the docstring says whose
        return "the name of an image has at most 255 characters; write a shorter one"
    if reference["digest"]:
        return None
    if not reference["tag"] or reference["tag"].lower() == "latest":
        return f"without a tag of its own (or with 'latest') it is another build each time; {remedy}"
    return None


def node_address(value: str) -> str | None:
    """Hold an address that goes between http:// and the port: IPv4 or a DNS name (RFC 1123)."""
    remedy = "write the IPv4 address or DNS name of a node, without scheme and port; `minikube ip` tells minikube's"
    labels = value.split(".")
    if len(value) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004 - RFC 1123
        return remedy
    if labels[-1].isdigit():
        try:
            ipaddress.IPv4Address(value)
        except ValueError:
            return remedy
    return None


def host(value: str) -> str | None:
    """Hold the name of the server on the network: a DNS name (RFC 1123), since an Ingress takes no address."""
    if node_address(value) is None and "." in value and not value.rpartition(".")[2].isdigit():
        return None
    return "write the full DNS name that clients will use, without scheme and port, such as mlflow.example.com"


def ingress_class(value: str) -> str | None:
    """Hold the name of an IngressClass: a DNS name."""
    if node_address(value) is None:
        return None
    return "write the name of an IngressClass; `kubectl get ingressclass` lists them, GKE has gce and gce-internal"


def certificate(value: str) -> str | None:
    """Hold a certificate against PEM (RFC 7468); what stands beside it is read by everybody."""
    if "PRIVATE KEY" in value:
        return (
            "it holds a private key, which anyone may read here; take it out, and type"
            " `pulumi config set --secret mlflow:tlsKey < FILE` with a new one"
        )
    if value.startswith("-----BEGIN CERTIFICATE-----"):
        return None
    return "write the certificate, with what it is signed by, as PEM: `pulumi config set mlflow:tlsCertificate < FILE`"


def private_key(value: str) -> str | None:
    """Hold a key without a passphrase against PEM (RFC 7468)."""
    if re.search(r"^-----BEGIN (EC |RSA )?PRIVATE KEY-----", value, re.MULTILINE) and "ENCRYPTED" not in value:
        return None
    return "write the key, without a passphrase, as PEM: `pulumi config set --secret mlflow:tlsKey < FILE`"


def _quantity(value: str, finest: Decimal, called: str, remedy: str) -> str | None:
    """Hold a quantity against its grammar, 0, and the finest that Kubernetes does not round up."""
    quantity = parse_quantity(value)
    if quantity is None:
        return f"Kubernetes cannot parse it; {remedy}"
    if quantity <= 0:
        return f"it has to be above 0; {remedy}"
    if quantity % finest:
        return f"Kubernetes counts nothing finer than {called}; {remedy}"
    return None
