"""Long-running operations are answered before they are done."""

from tests.gcp.standin import StandIn, instance_body, poll


def test_an_operation_is_pending_then_running_then_done(standin: StandIn) -> None:
    operation = standin.sql("POST", "instances", instance_body("slow"))
    assert operation["status"] == "PENDING"
    assert standin.sql("GET", "instances/slow")["state"] == "PENDING_CREATE"

    seen: list[str] = []

    def done() -> bool:
        (now,) = standin.sql("GET", "operations?instance=slow")["items"]
        seen.append(now["status"])
        return now["status"] == "DONE"

    poll(done, "the end of the operation")
    assert "RUNNING" in seen
    ended = standin.sql("GET", f"operations/{operation['name']}")
    assert ended["insertTime"] <= ended["startTime"] < ended["endTime"]
    assert standin.sql("GET", "instances/slow")["state"] == "RUNNABLE"


def test_a_second_operation_on_a_busy_instance_is_a_409_and_leaves_the_first_alone(standin: StandIn) -> None:
    first = standin.sql("POST", "instances", instance_body("busy"))
    error = standin.sql("PATCH", "instances/busy", {"settings": {"tier": "db-custom-4-7680"}})["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (409, "operationInProgress")
    assert "error" not in standin.done(first)


def test_an_operation_that_is_not_there_is_a_404(standin: StandIn) -> None:
    assert standin.sql("GET", "operations/nobody")["error"]["code"] == 404


def test_an_instance_that_cannot_be_created_ends_failed_and_can_be_deleted(standin: StandIn) -> None:
    body = instance_body("broken", databaseFlags=[{"name": "no_such_flag", "value": "1"}])
    error = standin.done(standin.sql("POST", "instances", body))["error"]["errors"][0]
    assert "no_such_flag" in error["message"]
    assert standin.sql("GET", "instances/broken")["state"] == "FAILED"
    standin.done(standin.sql("DELETE", "instances/broken"))
    assert standin.sql("GET", "instances/broken")["error"]["code"] == 404
