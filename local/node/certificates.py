"""The instance's own certificate authorities, keys and certificates, made once by openssl.

Two authorities: one for Kubernetes, one for etcd, so that no Kubernetes identity opens the store below it. Leaves the
kubeconfig files, which carry these, to `local.node.configuration`.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from local.command import run
from local.node.layout import API_SERVICE_ADDRESS, Layout

DAYS = 3650
AUTHORITY = "ca"
ETCD_AUTHORITY = "etcd-ca"
SERVICE_ACCOUNT_KEY = "service-account"
API_SERVICE_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A key and a certificate; `addresses` and `names` are what a server answers to."""

    file: str
    subject: str
    usage: str
    authority: str = AUTHORITY
    addresses: list[str] = field(default_factory=list[str])
    names: list[str] = field(default_factory=list[str])


def certificates(layout: Layout) -> list[Certificate]:
    """Return every certificate of an instance (https://kubernetes.io/docs/setup/best-practices/certificates/)."""
    node, address = layout.node_name, layout.instance.node_address
    server, client = "serverAuth", "clientAuth"
    return [
        Certificate(
            file="apiserver",
            subject="/CN=kube-apiserver",
            usage=server,
            addresses=[address, API_SERVICE_ADDRESS],
            names=list(API_SERVICE_NAMES),
        ),
        Certificate(file="kubelet-server", subject=f"/CN={node}", usage=server, addresses=[address], names=[node]),
        Certificate(file="admin", subject="/O=system:masters/CN=mlflow-local-admin", usage=client),
        Certificate(file="apiserver-kubelet", subject="/O=system:masters/CN=kube-apiserver-kubelet", usage=client),
        Certificate(file="kube-controller-manager", subject="/CN=system:kube-controller-manager", usage=client),
        Certificate(file="kube-scheduler", subject="/CN=system:kube-scheduler", usage=client),
        Certificate(file="kube-proxy", subject="/CN=system:kube-proxy", usage=client),
        Certificate(file="kubelet", subject=f"/O=system:nodes/CN=system:node:{node}", usage=client),
        Certificate(
            file="etcd",
            subject="/CN=etcd",
            usage=f"{server},{client}",
            authority=ETCD_AUTHORITY,
            addresses=["127.0.0.1"],
        ),
        Certificate(file="apiserver-etcd", subject="/CN=kube-apiserver", usage=client, authority=ETCD_AUTHORITY),
    ]


def ensure(layout: Layout) -> None:
    """Write all keys (mode 0600) and certificates, unless they are there; the folder appears whole or not at all."""
    folder = layout.pki
    if folder.exists():
        return
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    (partial / "openssl.cnf").write_text("[req]\ndistinguished_name = none\n[none]\n")
    for authority in (AUTHORITY, ETCD_AUTHORITY):
        _sign(partial, authority, f"/CN=mlflow-local {authority}", ["basicConstraints=critical,CA:TRUE"])
    for certificate in certificates(layout):
        signer = ["-CA", f"{certificate.authority}.crt", "-CAkey", f"{certificate.authority}.key"]
        _sign(partial, certificate.file, certificate.subject, _extensions(certificate), signer)
    private, public = f"{SERVICE_ACCOUNT_KEY}.key", f"{SERVICE_ACCOUNT_KEY}.pub"
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", private], cwd=partial)
    run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], cwd=partial)
    for key in partial.glob("*.key"):
        key.chmod(0o600)
    partial.rename(folder)


def _extensions(certificate: Certificate) -> list[str]:
    names = [f"DNS:{name}" for name in certificate.names] + [f"IP:{address}" for address in certificate.addresses]
    extensions = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={certificate.usage}"]
    return [*extensions, f"subjectAltName={','.join(names)}"] if names else extensions


def _sign(folder: Path, file: str, subject: str, extensions: list[str], signer: list[str] | None = None) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", f"{file}.key"]
    added = [word for extension in extensions for word in ("-addext", extension)]
    request = ["openssl", "req", "-x509", "-config", "openssl.cnf", "-days", str(DAYS), "-subj", subject]
    run([*request, *key, *added, *(signer or []), "-out", f"{file}.crt"], cwd=folder)
