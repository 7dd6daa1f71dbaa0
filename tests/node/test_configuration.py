"""What is generated for a node: certificates, configuration files and command lines. Nothing is started here."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from local.instance import Instance
from local.node import addons, certificates, components, configuration, layout, metrics_server, node
from local.node.layout import Layout


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """The files of an instance, below a temporary folder."""
    monkeypatch.setattr("local.instance.STATE_ROOT", tmp_path)
    made = Layout(Instance.named("generated"))
    certificates.ensure(made)
    configuration.write(made)
    return made


def verified(authority: Path, certificate: Path) -> bool:
    argv = ["openssl", "verify", "-CAfile", str(authority), str(certificate)]
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0


def test_each_certificate_is_signed_by_its_own_authority_and_by_no_other(files: Layout) -> None:
    for certificate in certificates.certificates(files):
        signed = files.pki / f"{certificate.file}.crt"
        signers = [name for name in certificates.AUTHORITIES if verified(files.pki / f"{name}.crt", signed)]
        assert signers == [certificate.authority], certificate.file


def test_only_the_authorities_may_sign(files: Layout) -> None:
    signers = {
        certificate.stem
        for certificate in files.pki.glob("*.crt")
        if "CA:TRUE" in subprocess.check_output(["openssl", "x509", "-in", certificate, "-noout", "-text"], text=True)
    }

    assert signers == {"ca", "etcd-ca", "front-proxy-ca"}


def test_the_api_server_answers_to_its_address_and_to_its_service(files: Layout) -> None:
    argv = ["openssl", "x509", "-in", str(files.pki / "apiserver.crt"), "-noout", "-ext", "subjectAltName"]
    names = subprocess.check_output(argv, text=True)

    for name in (files.instance.node_address, "10.96.0.1", "kubernetes.default.svc.cluster.local"):
        assert name in names


def test_keys_and_whatever_carries_one_are_readable_by_root_alone(files: Layout) -> None:
    private = [file for file in files.folder.rglob("*") if file.is_file() and b"PRIVATE KEY" in file.read_bytes()]
    carrying = [*files.config.glob("*.kubeconfig"), files.kubeconfig]

    assert len(private) == len(certificates.certificates(files)) + 4
    assert {file.stat().st_mode & 0o777 for file in [*private, *carrying]} == {0o600}


def test_certificates_are_made_once(files: Layout) -> None:
    before = {file: file.read_bytes() for file in files.pki.iterdir()}

    certificates.ensure(files)

    assert {file: file.read_bytes() for file in files.pki.iterdir()} == before


def test_an_instance_from_before_gets_the_certificates_that_it_lacks_from_its_own_authorities(files: Layout) -> None:
    added = ("front-proxy-ca", "front-proxy-client", "metrics-server")
    for name in added:
        (files.pki / f"{name}.crt").unlink()
    kept = {file: file.read_bytes() for file in files.pki.glob("*.crt")}

    certificates.ensure(files)

    assert {file: file.read_bytes() for file in kept} == kept
    assert verified(files.pki / "ca.crt", files.pki / "metrics-server.crt")
    assert verified(files.pki / "front-proxy-ca.crt", files.pki / "front-proxy-client.crt")
    assert not files.pki.with_suffix(".partial").exists()


def test_half_made_certificates_of_an_interrupted_start_are_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.instance.STATE_ROOT", tmp_path)
    made = Layout(Instance.named("interrupted"))
    leftover = made.pki.with_suffix(".partial")
    leftover.mkdir(parents=True)
    (leftover / "ca.crt").write_text("half a certi")

    certificates.ensure(made)

    assert verified(made.pki / "ca.crt", made.pki / "admin.crt")
    assert not leftover.exists()


def test_a_second_start_does_not_write_to_files_that_programs_watch(files: Layout) -> None:
    before = {file: file.stat().st_mtime_ns for file in files.folder.rglob("*")}

    configuration.write(files)

    assert {file: file.stat().st_mtime_ns for file in files.folder.rglob("*")} == before


def test_the_kubeconfig_names_the_cluster_and_carries_all_it_needs(files: Layout) -> None:
    said = json.loads(node.kubeconfig(files.instance).read_text())

    assert said["current-context"] == "mlflow-local"
    assert said["clusters"][0]["cluster"]["server"] == f"https://{files.instance.node_address}:6443"
    assert set(said["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}
    assert str(files.folder) not in json.dumps(said)


def test_every_program_listens_on_loopback_or_on_the_node_alone(files: Layout) -> None:
    allowed = ("127.0.0.1", files.instance.node_address)
    words = [str(word) for program in components.daemons(files, 1).values() for word in program.argv]
    listening = [word for word in words if word.startswith(("--bind-address=", "--listen-"))]

    assert len(listening) == 6
    assert all(any(address in word for address in allowed) for word in listening), listening
    assert configuration.kubelet(files)["address"] == files.instance.node_address
    assert configuration.kube_proxy(files)["nodePortAddresses"] == [f"{files.instance.node_address}/32"]


def test_nobody_is_anonymous(files: Layout) -> None:
    kubelet = configuration.kubelet(files)

    assert "--anonymous-auth=false" in components.api_server(files)
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}
    assert kubelet["authorization"] == {"mode": "Webhook"}
    assert {"--client-cert-auth", "--peer-client-cert-auth"} <= set(components.etcd(files))


def test_every_program_runs_in_both_namespaces_of_the_node(files: Layout) -> None:
    programs = components.daemons(files, 4711)
    outside = programs.pop("ingress")  # the clone it is run from may be where the mount namespace shows nothing

    assert outside.argv[:2] == ["nsenter", "--net=/run/netns/mlflow-local-generated"]
    assert not any(str(word).startswith("--mount") for word in outside.argv)
    for program in programs.values():
        assert program.argv[:3] == ["nsenter", "--net=/run/netns/mlflow-local-generated", "--mount=/proc/4711/ns/mnt"]


def test_a_proxy_for_the_internet_is_not_used_on_the_way_to_the_node(files: Layout) -> None:
    for program in components.daemons(files, 1).values():
        assert (program.env["HTTPS_PROXY"], program.env["https_proxy"]) == ("", "")


def test_metrics_are_asked_for_and_answered_by_certificate_alone(files: Layout) -> None:
    said = metrics_server.argv(files)
    manifests = metrics_server.manifests(files)

    assert f"--kubelet-certificate-authority={files.pki}/ca.crt" in said
    assert not any("insecure" in word.lower() for word in [*said, manifests])
    assert base64.b64encode((files.pki / "ca.crt").read_bytes()).decode() in manifests
    assert f"addresses: [{files.instance.node_address}]" in manifests


def test_the_dns_manifests_agree_with_what_pods_are_told(files: Layout) -> None:
    manifests = addons.DNS_MANIFESTS.read_text()

    assert configuration.kubelet(files)["clusterDNS"] == [layout.DNS_ADDRESS]
    assert f"clusterIP: {layout.DNS_ADDRESS}" in manifests
    assert f"kubernetes {layout.CLUSTER_DOMAIN} " in manifests


def test_two_instances_have_nothing_in_common() -> None:
    one, other = (Layout(Instance.named(name)) for name in ("one", "other"))

    for attribute in ("folder", "containerd_socket", "kubeconfig", "api_url", "node_name"):
        assert getattr(one, attribute) != getattr(other, attribute)
    assert configuration.containerd(one) != configuration.containerd(other)
    assert configuration.kubelet(one)["cgroupRoot"] != configuration.kubelet(other)["cgroupRoot"]
