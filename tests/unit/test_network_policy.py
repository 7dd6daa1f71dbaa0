"""What may talk to the pods, and what they may talk to."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.engine import UNKNOWN
from tests.unit.server import ARGS, DATABASE, changed, everything, server, templates, unknown


def policy(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the arguments take
    return changed(**changes).only("NetworkPolicy").inputs["spec"]


def to(rules: list[dict[str, Any]], port: int) -> list[Any]:
    """Return where rules let a port go to; None for anywhere."""
    return [rule.get("to") for rule in rules if port in {each["port"] for each in rule["ports"]}]


def test_the_policy_holds_for_every_pod_of_the_namespace_in_both_directions() -> None:
    assert policy()["podSelector"] == {}
    assert policy()["policyTypes"] == ["Ingress", "Egress"]
    assert len(templates(everything())) > 1


def test_pods_answer_on_the_server_s_port_alone() -> None:
    assert policy()["ingress"] == [{"ports": [{"port": 5000, "protocol": "TCP"}]}]


def test_prometheus_may_ask_for_metrics_where_there_are_any() -> None:
    (rule,) = policy(metrics=True)["ingress"]

    assert [each["port"] for each in rule["ports"]] == [5000, 9090]


def test_pods_reach_postgresql_at_the_address_of_the_database_and_nowhere_else() -> None:
    egress = policy(database=replace(DATABASE, host="10.81.0.3"))["egress"]

    assert to(egress, 5432) == [[{"ipBlock": {"cidr": "10.81.0.3/32"}}]]


def test_the_address_of_a_database_that_does_not_run_yet_is_unknown() -> None:
    database = replace(DATABASE, host=unknown())
    egress = server(replace(ARGS, database=database), preview=True).only("NetworkPolicy").inputs["spec"]["egress"]

    assert to(egress, 5432) == [[{"ipBlock": {"cidr": UNKNOWN}}]]


def test_pods_reach_dns_google_s_apis_the_server_and_their_own_identity() -> None:
    egress = policy()["egress"]

    # GKE has its DNS at two addresses outside of the cluster's own namespaces.
    assert to(egress, 53) == [
        [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}},
            {"ipBlock": {"cidr": "169.254.169.254/32"}},
            {"ipBlock": {"cidr": "169.254.20.10/32"}},
        ]
    ]
    assert to(egress, 443) == [None]
    assert to(egress, 5000) == [[{"podSelector": {"matchLabels": {"app": "mlflow-tracking-server-pods"}}}]]
    (metadata,) = to(egress, 988)
    assert {each["ipBlock"]["cidr"] for each in metadata} == {"169.254.169.254/32", "169.254.169.252/32"}


def test_pods_reach_nothing_else() -> None:
    ports = {each["port"] for rule in policy()["egress"] for each in rule["ports"]}

    assert ports == {53, 443, 5000, 5432, 80, 987, 988}
    assert [to(policy()["egress"], port) for port in ports if None in to(policy()["egress"], port)] == [[None]]


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        ("http://10.89.0.1:4443/storage/v1/", 4443),
        ("http://10.89.0.1/storage/v1/", 80),
        ("https://storage-team.p.googleapis.com/storage/v1/", 443),
    ],
)
def test_pods_reach_the_endpoint_of_cloud_storage_that_is_set(endpoint: str, port: int) -> None:
    assert None in to(policy(storage_endpoint=endpoint)["egress"], port)
