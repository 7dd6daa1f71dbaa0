"""Each rule about a stack whose data must last: one that meets it, and the same with a fault."""

from collections.abc import Mapping

import pytest
from pulumi_policy import PolicyResource, StackValidationPolicy
from pulumi_policy.proxy import UNKNOWN_OBJECT_VALUE, unknown_checking_proxy

from policy import durable, durable_workloads, google, secrets
from policy.pack import POLICIES
from tests.policy.example import POD_LABELS, PROTECTED, STACK
from tests.policy.faults_durable import IMAGE, PASSING, ROWS
from tests.policy.resources import Faults, in_stack, stack_violations, violations, with_faults

WITHOUT_ROWS = {
    durable.durable_data_is_protected,
    durable.durable_stacks_have_no_keys,
    secrets.config_maps_are_not_made_of_secrets,
}
"""Policies with tests of their own."""
Faulty = Mapping[str, Faults]
THROWN_AWAY: Faulty = {
    "database": {"deletionProtection": False, "settings.deletionProtectionEnabled": None},
    "bucket": {"forceDestroy": True},
}


def stack(faults: Faulty | None = None, unprotected: tuple[str, ...] = ()) -> list[PolicyResource]:
    """Return the durable stack with faults in some of its resources."""
    return [
        in_stack(
            name,
            with_faults(props, (faults or {}).get(name, {})),
            protect=name in PROTECTED and name not in unprotected,
        )
        for name, (_, props) in STACK.items()
    ]


@pytest.mark.parametrize(("policy", "name", "faults", "said"), ROWS, ids=[f"{r[0].name}-{r[3]}" for r in ROWS])
def test_a_fault_is_found_and_without_it_there_is_none(
    policy: StackValidationPolicy, name: str, faults: Faults, said: str
) -> None:
    found = stack_violations(policy, stack({name: faults}))

    assert stack_violations(policy, stack()) == []
    assert any(said in one for one in found), found
    assert all(one.count(": ") >= 2 for one in found), found


@pytest.mark.parametrize(("policy", "name", "faults"), PASSING, ids=lambda value: getattr(value, "name", None))
def test_what_loses_nothing_is_let_through(policy: StackValidationPolicy, name: str, faults: Faults) -> None:
    assert stack_violations(policy, stack({name: faults})) == []


def test_every_rule_has_a_row() -> None:
    rules = {policy for policy in POLICIES if isinstance(policy, StackValidationPolicy)}

    assert {row[0] for row in ROWS} | WITHOUT_ROWS == rules


@pytest.mark.parametrize("name", PROTECTED)
def test_data_is_protected(name: str) -> None:
    (said,) = stack_violations(durable.durable_data_is_protected, stack(unprotected=(name,)))

    assert stack_violations(durable.durable_data_is_protected, stack()) == []
    assert "the resource option protect is not set" in said


@pytest.mark.parametrize(
    ("type_", "account"),
    [("gcp:serviceaccount/key:Key", "serviceAccountId"), ("gcp:storage/hmacKey:HmacKey", "serviceAccountEmail")],
)
def test_there_are_no_keys(type_: str, account: str) -> None:
    key = in_stack("key", {account: "me"}, protect=False, type_=type_)

    assert stack_violations(durable.durable_stacks_have_no_keys, stack()) == []
    assert "key of me" in stack_violations(durable.durable_stacks_have_no_keys, [*stack(), key])[0]


def test_a_stack_that_may_be_thrown_away_need_meet_none_of_it() -> None:
    thrown_away = {**THROWN_AWAY, "server": {"spec.replicas": 1.0, IMAGE: "server:3.17.2"}, "budget": {"spec": None}}
    policies = [policy for policy in POLICIES if isinstance(policy, StackValidationPolicy)]

    assert [stack_violations(policy, stack(thrown_away, PROTECTED)) for policy in policies] == [[]] * len(policies)


@pytest.mark.parametrize(
    ("faults", "unprotected"),
    [
        ({"bucket": THROWN_AWAY["bucket"]}, PROTECTED),
        ({"database": THROWN_AWAY["database"]}, PROTECTED),
        ({**THROWN_AWAY, "database": {"deletionProtection": False}}, PROTECTED),
        (THROWN_AWAY, ("bucket", "contents")),
    ],
    ids=["database", "bucket", "Google's protection", "Pulumi's protection"],
)
def test_one_thing_that_must_last_makes_the_stack_durable(faults: Faulty, unprotected: tuple[str, ...]) -> None:
    assert stack_violations(durable.durable_data_is_protected, stack(faults, unprotected))


@pytest.mark.parametrize(("least", "enough"), [(2.0, True), (1.0, False), ("2", True), ("1", False)])
def test_an_autoscaler_says_how_many_servers_there_are_at_least(
    least: float | str,
    enough: bool,  # noqa: FBT001
) -> None:
    scaler = in_stack(
        "scaler",
        {
            "metadata": {"namespace": "mlflow", "name": "server"},
            "spec": {"minReplicas": least, "scaleTargetRef": {"kind": "Deployment", "name": "server"}},
        },
        protect=False,
        type_="kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    )
    servers = [*stack({"server": {"spec.replicas": None}}), scaler]

    assert (stack_violations(durable_workloads.durable_servers_are_two_or_more, servers) == []) is enough


def test_a_read_replica_needs_no_backups_and_no_second_zone() -> None:
    bare = {"masterInstanceName": "a-database", "settings": STACK["database"][1]["settings"]}
    faults = {
        "settings.availabilityType": "ZONAL",
        "settings.backupConfiguration": None,
        "settings.retainBackupsOnDelete": None,
        "settings.finalBackupConfig": None,
        "deletionProtection": True,
    }
    replica = in_stack("database", with_faults(bare, faults), protect=True)

    assert [said for policy in durable.POLICIES for said in stack_violations(policy, [replica])] == []


def test_a_selector_may_name_some_of_a_pods_labels() -> None:
    more = {"server": {"spec.template.metadata.labels": {**POD_LABELS, "tier": "front"}}}

    assert stack_violations(durable_workloads.durable_servers_have_a_disruption_budget, stack(more)) == []


def test_a_rule_of_a_stack_judges_what_was_asked_for_where_outputs_are_unknown() -> None:
    type_, props = STACK["bucket"]
    hidden = unknown_checking_proxy({**props, "versioning": UNKNOWN_OBJECT_VALUE})
    bucket = in_stack("bucket", hidden, protect=True)
    policy = durable.durable_buckets_keep_what_is_overwritten
    before = stack_violations(policy, [bucket])

    violations(google.buckets_have_uniform_access, type_, with_faults(props, {"versioning": None}), "bucket-in-stack")

    assert before == []
    assert "versioning.enabled is not set" in stack_violations(policy, [bucket])[0]


def test_a_budget_is_not_blamed_for_a_server_of_one_pod() -> None:
    alone = stack({"server": {"spec.replicas": 1.0}})

    assert stack_violations(durable_workloads.durable_servers_have_a_disruption_budget, alone) == []
    assert stack_violations(durable_workloads.durable_servers_are_two_or_more, alone) != []
