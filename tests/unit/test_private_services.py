"""The way to private addresses: a range on the network and the peering over it."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.gcp import PrivateServices, PrivateServicesArgs
from tests.unit.engine import Deployment, deploy

NETWORK = "projects/my-project/global/networks/default"


def services(*, preview: bool = False) -> Deployment:
    def program() -> Mapping[str, pulumi.Output[Any]]:
        return {"network": PrivateServices("mlflow", PrivateServicesArgs(network=NETWORK, range_name="own")).network}

    return deploy(program, preview=preview)


@pytest.mark.parametrize("preview", [False, True])
def test_a_range_of_the_network_is_kept_for_google_s_services(preview: bool) -> None:  # noqa: FBT001
    addresses = services(preview=preview).only("GlobalAddress").inputs

    assert addresses["name"] == "own"
    assert addresses["network"] == NETWORK
    assert addresses["purpose"] == "VPC_PEERING"
    assert addresses["addressType"] == "INTERNAL"
    assert addresses["prefixLength"] <= 24


def test_the_network_is_peered_with_google_s_services_over_that_range() -> None:
    deployment = services()
    addresses = deployment.only("GlobalAddress")
    peering = deployment.only("Connection")

    assert peering.inputs["network"] == NETWORK
    assert peering.inputs["service"] == "servicenetworking.googleapis.com"
    assert peering.inputs["reservedPeeringRanges"] == [addresses.inputs["name"]]
    assert addresses.urn in peering.dependencies


def test_a_later_stack_finds_the_peering_with_its_range() -> None:
    deployment = services()

    assert deployment.only("GlobalAddress").retain_on_delete
    assert deployment.only("Connection").retain_on_delete


def test_a_peering_that_others_made_is_not_changed() -> None:
    assert "updateOnCreationFail" not in services().only("Connection").inputs


def test_the_network_is_the_one_that_was_named() -> None:
    assert services().outputs["network"].value == NETWORK
