"""The instance's own certificate authorities, keys and certificates, made once by openssl.

Three authorities: one for Kubernetes, one for etcd, so that no Kubernetes identity opens the store below it, and one by
which the API server vouches for those whose requests it hands on to metrics-server. Leaves the kubeconfig files, which
carry these, to `local.node.configuration`.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from local.command import run
from local.node.layout import API_SERVICE_ADDRESS, Layout

DAYS = 3650
AUTHORITY = "ca"
ETCD_AUTHORITY = "etcd-ca"
FRONT_PROXY_AUTHORITY = "front-proxy-ca"
AUTHORITIES = (AUTHORITY, ETCD_AUTHORITY, FRONT_PROXY_AUTHORITY)
FRONT_PROXY = "front-proxy-client"
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
        Certificate(file=FRONT_PROXY, subject=f"/CN={FRONT_PROXY}", usage=client, authority=FRONT_PROXY_AUTHORITY),
        Certificate(
            file="metrics-server",
            subject="/CN=mlflow-local:metrics-server",
            usage=f"{server},{client}",
            names=["metrics-server.kube-system.svc"],
        ),
        Certificate(file="ingress", subject="/CN=mlflow-local:ingress", usage=client),
    ]


def ensure(layout: Layout) -> None:
    """Write the keys (mode 0600) and certificates that are missing; of an interrupted start none is taken."""
    folder, partial = layout.pki, layout.pki.with_suffix(".partial")
    wanted = [*AUTHORITIES, *(certificate.file for certificate in certificates(layout)), SERVICE_ACCOUNT_KEY]
    missing = {name for name in wanted if not _finished(folder, name).exists()}
    if not missing:
        return
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    for file in folder.glob("*"):
        shutil.copy2(file, partial)
    _make(layout, partial, missing)
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in sorted(missing):
        (partial / f"{name}.key").rename(folder / f"{name}.key")
        _finished(partial, name).rename(_finished(folder, name))
    shutil.rmtree(partial)


def _finished(folder: Path, name: str) -> Path:
    """Return the file that is written last: a key without it does not count."""
    return folder / (f"{name}.pub" if name == SERVICE_ACCOUNT_KEY else f"{name}.crt")


def _make(layout: Layout, folder: Path, missing: set[str]) -> None:
    (folder / "openssl.cnf").write_text("[req]\ndistinguished_name = none\n[none]\n")
    for authority in missing & set(AUTHORITIES):
        _sign(folder, authority, f"/CN=mlflow-local {authority}", ["basicConstraints=critical,CA:TRUE"])
    for certificate in certificates(layout):
        if certificate.file in missing:
            signer = ["-CA", f"{certificate.authority}.crt", "-CAkey", f"{certificate.authority}.key"]
            _sign(folder, certificate.file, certificate.subject, _extensions(certificate), signer)
    if SERVICE_ACCOUNT_KEY in missing:
        private, public = f"{SERVICE_ACCOUNT_KEY}.key", f"{SERVICE_ACCOUNT_KEY}.pub"
        curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        run(["openssl", "genpkey", *curve, "-out", private], cwd=folder)
        run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], cwd=folder)
    for key in folder.glob("*.key"):
        key.chmod(0o600)


def _extensions(certificate: Certificate) -> list[str]:
    names = [f"DNS:{name}" for name in certificate.names] + [f"IP:{address}" for address in certificate.addresses]
    extensions = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={certificate.usage}"]
    return [*extensions, f"subjectAltName={','.join(names)}"] if names else extensions


def _sign(folder: Path, file: str, subject: str, extensions: list[str], signer: list[str] | None = None) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", f"{file}.key"]
    added = [word for extension in extensions for word in ("-addext", extension)]
    request = ["openssl", "req", "-x509", "-config", "openssl.cnf", "-days", str(DAYS), "-subj", subject]
    run([*request, *key, *added, *(signer or []), "-out", f"{file}.crt"], cwd=folder)
