"""Another password for the database, and other keys for what it encrypts, while everybody works."""

import base64
import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.production.client import Client
from tests.production.load import constant_load, lost
from tests.production.rehearsal import Rehearsal
from tests.production.stacks import operate


@dataclass(frozen=True)
class Account:
    """An account at the database."""

    user: str
    password: str


def account(rehearsal: Rehearsal) -> Account:
    """Return the server's account at the database."""
    secret = json.loads(rehearsal.kubectl("get", "secret", "mlflow-postgresql-credentials", "--output", "json"))
    config = json.loads(rehearsal.kubectl("get", "configmap", "mlflow-configmap", "--output", "json"))
    password = base64.b64decode(secret["data"]["postgresql-password"]).decode()
    return Account(config["data"]["DB_USERNAME"], password)


def ask(rehearsal: Rehearsal, account: Account, query: str) -> str:
    """Open a session as an account and return the one value that a query yields."""
    with psycopg.connect(
        host=rehearsal.outputs()["database_host"],
        dbname="mlflow",
        user=account.user,
        password=account.password,
        sslmode="require",
        connect_timeout=10,
    ) as session:
        row = session.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def log_in(rehearsal: Rehearsal, account: Account) -> str:
    """Open a session as an account and return whom it acts as."""
    return ask(rehearsal, account, "SELECT current_user")


def test_another_password_fails_no_request_and_the_one_of_before_is_refused(
    rehearsal: Rehearsal, authority: Path, password: str
) -> None:
    before = account(rehearsal)
    assert log_in(rehearsal, before) == "mlflow"

    with constant_load(authority, password) as load:
        printed = operate(rehearsal.project, "rotate")

    after = account(rehearsal)
    assert load.failures == []
    assert load.refused == []
    assert lost(load, authority, password) == []
    assert (after.user, log_in(rehearsal, after)) == ("mlflow-2", "mlflow")
    with pytest.raises(psycopg.OperationalError, match=r"authentication failed|not permitted to log in|does not exist"):
        log_in(rehearsal, before)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        log_in(rehearsal, Account(after.user, before.password))
    assert before.password not in printed
    assert after.password not in printed


def test_other_keys_fail_no_request_and_every_secret_is_encrypted_with_them(
    rehearsal: Rehearsal, authority: Path, password: str
) -> None:
    event = {"entity": "PROMPT", "action": "CREATED"}  # which nobody does meanwhile
    body = {"name": "kept", "url": "https://192.0.0.9/kept", "secret": "of kept", "events": [event]}
    with closing(Client(authority, password)) as client:
        webhook = client.ask("POST", "webhooks", body)["webhook"]["webhook_id"]
    stored = f"SELECT secret FROM webhooks WHERE webhook_id = '{webhook}'"  # noqa: S608 - a number
    before = ask(rehearsal, account(rehearsal), stored)

    with constant_load(authority, password) as load:
        operate(rehearsal.project, "rotate-encryption")

    assert load.failures == []
    assert load.refused == []
    assert lost(load, authority, password) == []
    assert ask(rehearsal, account(rehearsal), stored) not in (before, "of kept")
    with closing(Client(authority, password)) as client:  # a secret that cannot be read fails both
        assert webhook in [each["webhook_id"] for each in client.ask("GET", "webhooks")["webhooks"]]
        client.ask("DELETE", f"webhooks/{webhook}")
