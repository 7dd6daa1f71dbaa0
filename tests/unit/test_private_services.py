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


def test_taking_a_stack_down_does_not_wait_for_a_peering_that_google_keeps() -> None:
    assert services().only("Connection").inputs["deletionPolicy"] == "ABANDON"


def test_the_peering_that_a_stack_left_behind_is_the_next_one_s() -> None:
    assert services().only("Connection").inputs["updateOnCreationFail"] is True


def test_the_network_is_the_one_that_was_named() -> None:
    assert services().outputs["network"].value == NETWORK
