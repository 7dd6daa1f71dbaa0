"""Another password for the database while everybody works."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

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


def log_in(rehearsal: Rehearsal, account: Account) -> str:
    """Open a session as an account and return whom it acts as."""
    with psycopg.connect(
        host=rehearsal.outputs()["database_host"],
        dbname="mlflow",
        user=account.user,
        password=account.password,
        sslmode="require",
        connect_timeout=10,
    ) as session:
        row = session.execute("SELECT current_user").fetchone()
    assert row is not None
    return str(row[0])


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
