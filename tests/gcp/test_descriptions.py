"""Requests and answers are held against Google's published descriptions."""

import asyncio
from typing import Any

import google_auth_httplib2
import httplib2
import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from starlette.requests import Request
from starlette.responses import Response

from local.gcp import endpoints
from local.gcp.app import Api, Call
from tests.gcp.standin import PROJECT, Json, StandIn

_BUCKET = "/storage/v1/b/some-bucket"


async def _nothing(_request: Request, _path: str) -> Response | None:
    return None


def _answer_of(api: Api, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
            response = await api(Request(scope, receive))
            await response(scope, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_a_documented_method_without_a_handler_is_a_501_that_names_it(standin: StandIn) -> None:
    response = standin.http.post(f"/sql/v1beta4/projects/{PROJECT}/instances/x/failover", json={})
    assert response.status_code == 501
    assert "sql.instances.failover" in response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/sql/v1beta4/projects/demo/nonsense", "/iam/", "/storage/v1", "/batch/storage/v1"])
def test_an_unknown_path_of_a_served_api_is_a_501_that_names_it(standin: StandIn, path: str) -> None:
    response = standin.http.post(path)
    assert response.status_code == 501
    assert f"POST {path} is not implemented" in response.json()["error"]["message"]


def test_a_path_of_no_api_is_a_404(standin: StandIn) -> None:
    response = standin.http.get("/no-such-bucket/object")
    assert response.status_code == 404
    assert "in none of the API descriptions" in response.json()["error"]["message"]


def test_an_unknown_field_of_a_request_is_a_400_that_names_it(standin: StandIn) -> None:
    error = standin.sql("POST", "instances", {"name": "x", "settings": {"teir": "db-custom-2-3840"}})["error"]
    assert error["code"] == 400
    assert "settings" in error["message"]
    assert "teir" in error["message"]


@pytest.mark.parametrize("body", [{"settings": {"tier": 4}}, {"databaseVersion": "POSTGRES_99"}, ["a", "list"]])
def test_a_value_of_the_wrong_kind_is_a_400(standin: StandIn, body: Any) -> None:  # noqa: ANN401 - any misfit
    assert standin.sql("POST", "instances", body)["error"]["code"] == 400


def test_a_body_that_is_not_json_is_a_400(standin: StandIn) -> None:
    assert standin.http.post("/storage/v1/b?project=demo", content=b"{").status_code == 400


@pytest.mark.parametrize("query", ["?nonsense=1", "?ifMetagenerationMatch=x", "?projection=all", "?alt=json&alt=json"])
def test_an_unknown_or_wrong_query_parameter_is_a_400(standin: StandIn, query: str) -> None:
    assert standin.http.get(_BUCKET + query).status_code == 400


def test_a_missing_required_query_parameter_is_a_400(standin: StandIn) -> None:
    response = standin.http.get("/storage/v1/b")
    assert response.status_code == 400
    assert "project" in response.json()["error"]["message"]


def _anybody(*_: object) -> None:
    """The person at the machine, who may do everything."""


def test_a_wrong_answer_of_ours_is_a_500_that_names_the_place() -> None:
    def wrong(_call: Call) -> Json:
        return {"kind": "storage#bucket", "metageneration": 1}

    response = _answer_of(Api({"storage.buckets.get": wrong}, {}, _nothing, _anybody), _BUCKET)
    assert response.status_code == 500
    assert "storage.buckets.get" in response.json()["error"]["message"]
    assert "metageneration" in response.json()["error"]["message"]


def test_a_handler_of_an_undocumented_method_does_not_pass() -> None:
    with pytest.raises(ValueError, match=r"sql\.instances\.inesrt"):
        Api({"sql.instances.inesrt": lambda _: {}}, {}, _nothing, _anybody)


def test_the_doubled_version_that_the_provider_asks_for_over_http_is_read_as_one(standin: StandIn) -> None:
    network = f"network=projects/1/global/networks/{PROJECT}"
    asked = {
        "sqlCustomEndpoint": ("sql/v1beta4/", f"projects/{PROJECT}/instances"),
        "storageCustomEndpoint": ("", f"b?project={PROJECT}"),
        "iamCustomEndpoint": ("v1/", f"projects/{PROJECT}/serviceAccounts"),
        "computeCustomEndpoint": ("", f"projects/{PROJECT}/global/addresses"),
        "serviceNetworkingCustomEndpoint": ("v1/", f"services/-/connections?{network}"),
        "resourceManagerCustomEndpoint": ("v1/", f"projects/{PROJECT}"),
    }
    addresses = endpoints(standin.url)
    assert addresses.keys() == asked.keys()
    for setting, (doubled, resource) in asked.items():
        assert standin.http.get(addresses[setting] + doubled + resource).status_code == 200
        assert standin.http.get(addresses[setting] + resource).status_code == 200


def test_google_s_own_client_is_understood(standin: StandIn) -> None:
    http = google_auth_httplib2.AuthorizedHttp(AnonymousCredentials(), httplib2.Http())
    with build("sqladmin", "v1beta4", http=http, client_options={"api_endpoint": standin.url}) as client:
        answer = client.instances().list(project="somebody-else").execute()
    assert answer == {"kind": "sql#instancesList", "items": []}


def test_each_request_is_one_line_of_the_log_with_method_status_and_time(standin: StandIn) -> None:
    standin.http.get("/storage/v1/b/never-made")
    (line,) = [line for line in standin.log.read_text().splitlines()[-1:] if "storage.buckets.get" in line]
    assert " storage.buckets.get 404 " in line
    assert line.endswith(" ms")
