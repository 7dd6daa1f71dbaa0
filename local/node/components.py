"""The node's programs and their command lines, in the order in which they start."""

from pathlib import Path

from local.command import WITHOUT_PROXY, inside
from local.ingress import program as ingress
from local.node import certificates, metrics_server, mounts
from local.node.host import search_path
from local.node.layout import API_PORT, PROGRAMS, SERVICE_ADDRESSES, Layout
from local.process import Daemon
from local.virtualenv import PROJECT

ETCD_URL = "https://127.0.0.1:2379"
ETCD_PEER_URL = "https://127.0.0.1:2380"
FIRST = ("etcd", "containerd", "kube-apiserver")
SECOND = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


def daemons(layout: Layout, holder_pid: int | None) -> dict[str, Daemon]:
    """Return every program by name; `holder_pid` is that of the mount namespace (None: only to look at or to stop)."""
    argvs = {
        "etcd": etcd(layout),
        "containerd": ["containerd", "--config", f"{layout.config}/containerd.toml"],
        "kube-apiserver": api_server(layout),
        "kube-controller-manager": controller_manager(layout),
        "kube-scheduler": scheduler(layout),
        "kubelet": kubelet(layout),
        "kube-proxy": [f"{PROGRAMS}/kube-proxy", f"--config={layout.config}/kube-proxy.json"],
        metrics_server.NAME: metrics_server.argv(layout),
        ingress.NGINX: ingress.nginx(layout.ingress),
    }
    programs = {
        name: _daemon(layout, name, mounts.enter(layout.instance, holder_pid or 0, argv), Path("/"))
        for name, argv in argvs.items()
    }
    # This clone may lie in a folder that the mount namespace does not show.
    controller = inside(layout.instance.network_namespace, ingress_controller(layout))
    return {**programs, ingress.CONTROLLER: _daemon(layout, ingress.CONTROLLER, controller, PROJECT)}


def _daemon(layout: Layout, name: str, argv: list[str], cwd: Path) -> Daemon:
    return Daemon(
        name=name,
        argv=argv,
        run_dir=layout.instance.run_dir,
        log_dir=layout.instance.log_dir,
        env={**WITHOUT_PROXY, "PATH": search_path()},
        cwd=cwd,
    )


def ingress_controller(layout: Layout) -> list[str]:
    """Return the command line of the ingress controller's stand-in."""
    return ingress.controller(
        layout.ingress,
        api_server=layout.api_url,
        authority=layout.pki / f"{certificates.AUTHORITY}.crt",
        certificate=layout.pki / "ingress.crt",
        key=layout.pki / "ingress.key",
        address=layout.instance.node_address,
        late_seconds=str(layout.instance.late_seconds),
        run_dir=layout.instance.run_dir,
        log_dir=layout.instance.log_dir,
    )


def etcd(layout: Layout) -> list[str]:
    """Return etcd's command line: on loopback, and only for who has a certificate of its own authority."""
    tls = {
        "cert-file": f"{layout.pki}/etcd.crt",
        "key-file": f"{layout.pki}/etcd.key",
        "trusted-ca-file": f"{layout.pki}/{certificates.ETCD_AUTHORITY}.crt",
    }
    return [
        f"{PROGRAMS}/etcd",
        "--name=node",
        f"--data-dir={layout.folder}/etcd",
        f"--listen-client-urls={ETCD_URL}",
        f"--advertise-client-urls={ETCD_URL}",
        f"--listen-peer-urls={ETCD_PEER_URL}",
        f"--initial-advertise-peer-urls={ETCD_PEER_URL}",
        f"--initial-cluster=node={ETCD_PEER_URL}",
        "--client-cert-auth",
        "--peer-client-cert-auth",
        "--log-level=warn",
        *(f"--{name}={file}" for name, file in tls.items()),
        *(f"--peer-{name}={file}" for name, file in tls.items()),
    ]


def api_server(layout: Layout) -> list[str]:
    """Return the API server's command line: on the node's address, for nobody without a certificate or a token."""
    pki, address = layout.pki, layout.instance.node_address
    front_proxy = certificates.FRONT_PROXY
    service_account = f"{pki}/{certificates.SERVICE_ACCOUNT_KEY}"
    return [
        f"{PROGRAMS}/kube-apiserver",
        f"--bind-address={address}",
        f"--advertise-address={address}",
        f"--secure-port={API_PORT}",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--profiling=false",
        f"--service-cluster-ip-range={SERVICE_ADDRESSES}",
        f"--etcd-servers={ETCD_URL}",
        f"--etcd-cafile={pki}/{certificates.ETCD_AUTHORITY}.crt",
        f"--etcd-certfile={pki}/apiserver-etcd.crt",
        f"--etcd-keyfile={pki}/apiserver-etcd.key",
        f"--client-ca-file={pki}/{certificates.AUTHORITY}.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-certificate-authority={pki}/{certificates.AUTHORITY}.crt",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={pki}/{certificates.FRONT_PROXY_AUTHORITY}.crt",
        f"--requestheader-allowed-names={front_proxy}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki}/{front_proxy}.crt",
        f"--proxy-client-key-file={pki}/{front_proxy}.key",
        "--enable-aggregator-routing",  # straight to metrics-server: no wait for kube-proxy's rules at each start
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={service_account}.pub",
        f"--service-account-signing-key-file={service_account}.key",
    ]


def controller_manager(layout: Layout) -> list[str]:
    """Return the controller manager's command line."""
    return [
        f"{PROGRAMS}/kube-controller-manager",
        f"--kubeconfig={layout.config}/kube-controller-manager.kubeconfig",
        "--bind-address=127.0.0.1",
        "--cert-dir=/run/kube-controller-manager",
        "--leader-elect=false",
        "--profiling=false",
        "--use-service-account-credentials",
        "--kube-api-qps=200",  # the default of 20 alone makes a start several seconds longer
        "--kube-api-burst=400",
        f"--root-ca-file={layout.pki}/{certificates.AUTHORITY}.crt",
        f"--service-account-private-key-file={layout.pki}/{certificates.SERVICE_ACCOUNT_KEY}.key",
    ]


def scheduler(layout: Layout) -> list[str]:
    """Return the scheduler's command line."""
    return [
        f"{PROGRAMS}/kube-scheduler",
        f"--kubeconfig={layout.config}/kube-scheduler.kubeconfig",
        "--bind-address=127.0.0.1",
        "--cert-dir=/run/kube-scheduler",
        "--leader-elect=false",
        "--profiling=false",
    ]


def kubelet(layout: Layout) -> list[str]:
    """Return the kubelet's command line; most of its settings are in its configuration file."""
    return [
        f"{PROGRAMS}/kubelet",
        f"--config={layout.config}/kubelet.json",
        f"--kubeconfig={layout.config}/kubelet.kubeconfig",
        f"--root-dir={layout.folder}/kubelet",
        f"--hostname-override={layout.node_name}",
        f"--node-ip={layout.instance.node_address}",
    ]
