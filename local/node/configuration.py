"""The configuration files of the node's programs: kubeconfigs, containerd, CNI, kubelet and kube-proxy.

Owns their content. Leaves command lines to `local.node.components`. Files for Kubernetes are JSON, which is YAML too.
"""

import base64
import json
from pathlib import Path
from typing import Any

from local.node import certificates
from local.node.layout import (
    CLUSTER_DOMAIN,
    DNS_ADDRESS,
    POD_ADDRESSES,
    PROGRAMS,
    PROXY_HEALTH_PORT,
    Layout,
)

CONTEXT = "mlflow-local"
PAUSE_IMAGE = "localhost/pause:1"
KUBECONFIG_USERS = ("kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "metrics-server")


def write(layout: Layout) -> None:
    """Write every file, with mode 0600: some carry a key."""
    (layout.config / "cni").mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(layout.config / "cni/10-pods.conflist", json.dumps(pod_network(), indent=1))
    _write(layout.config / "containerd.toml", containerd(layout))
    _write(layout.config / "kubelet.json", json.dumps(kubelet(layout), indent=1))
    _write(layout.config / "kube-proxy.json", json.dumps(kube_proxy(layout), indent=1))
    for user in KUBECONFIG_USERS:
        _write(layout.config / f"{user}.kubeconfig", json.dumps(kubeconfig(layout, user), indent=1))
    _write(layout.kubeconfig, json.dumps(kubeconfig(layout, "admin"), indent=1))


def _write(path: Path, text: str) -> None:
    """Write a file, unless it says so already: kube-proxy ends when its file is written to."""
    if not path.exists() or path.read_text() != text:
        path.touch(mode=0o600)
        path.write_text(text)


def kubeconfig(layout: Layout, user: str) -> dict[str, Any]:
    """Return a kubeconfig that carries its own certificates, so it works from any folder."""

    def carried(file: str) -> str:
        return base64.b64encode((layout.pki / file).read_bytes()).decode()

    cluster = {"server": layout.api_url, "certificate-authority-data": carried(f"{certificates.AUTHORITY}.crt")}
    login = {"client-certificate-data": carried(f"{user}.crt"), "client-key-data": carried(f"{user}.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": user, "user": login}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
        "current-context": CONTEXT,
    }


def pod_network() -> dict[str, Any]:
    """Return the CNI configuration.

    Each pod has a point-to-point link, as in kind: all traffic is routed, so Services work between pods without the
    host-wide br_netfilter module that a bridge would need.
    """
    addresses = {
        "type": "host-local",
        "dataDir": "/run/pod-addresses",  # forgotten with the pods when the node stops
        "ranges": [[{"subnet": POD_ADDRESSES}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [{"type": "ptp", "ipMasq": True, "ipam": addresses}],
    }


def containerd(layout: Layout) -> str:
    """Return containerd's configuration (version 2: read by 1.6 and later)."""
    return f"""\
version = 2
root = "{layout.folder}/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "{layout.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "{layout.folder}/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true  # lowering it takes CAP_SYS_RESOURCE, which root in a container or VM may lack
disable_apparmor = true        # a profile would be loaded into the host's kernel and stay there

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{PROGRAMS}/cni"
conf_dir = "{layout.config}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def kubelet(layout: Layout) -> dict[str, Any]:
    """Return the kubelet's configuration: it answers the API server alone, and evicts only on a nearly full disk."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.instance.node_address,
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": layout.instance.cgroup_root,
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "podLogsDir": f"{layout.folder}/pod-logs",
        "volumePluginDir": f"{layout.folder}/volume-plugins",
        "tlsCertFile": f"{layout.pki}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{layout.pki}/kubelet-server.key",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{layout.pki}/{certificates.AUTHORITY}.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": CLUSTER_DOMAIN,
        "resolvConf": "",  # no resolver of the host's can be reached from the namespace
        "imageGCHighThresholdPercent": 100,  # 100: never; images are imported and could not be pulled again
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
    }


def kube_proxy(layout: Layout) -> dict[str, Any]:
    """Return kube-proxy's configuration: node ports answer on the node's address alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "hostnameOverride": layout.node_name,
        "clusterCIDR": POD_ADDRESSES,
        "nodePortAddresses": [f"{layout.instance.node_address}/32"],
        "healthzBindAddress": f"{layout.instance.node_address}:{PROXY_HEALTH_PORT}",
        "oomScoreAdj": 0,
        "clientConnection": {"kubeconfig": f"{layout.config}/kube-proxy.kubeconfig"},
        "iptables": {"localhostNodePorts": False},
        "conntrack": {"maxPerCore": 0},  # 0: leave the host's limit alone
    }
