"""docs/alerts.yaml is what Prometheus reads, and speaks of what there is."""

import re
from typing import Any

import jsonschema
import promql_parser
import pytest
import yaml

from tests.unit.conftest import PROJECT, schema

RULES: dict[str, Any] = yaml.safe_load((PROJECT / "docs" / "alerts.yaml").read_text())
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
ALL = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
TEXT = {"type": "string", "minLength": 1}
DURATION = {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))+$"}
# prometheus.io/docs/prometheus/latest/configuration/alerting_rules, of which these rules use alerts alone
SCHEMA = {
    "type": "object",
    "required": ["groups"],
    "additionalProperties": False,
    "properties": {
        "groups": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "rules"],
                "additionalProperties": False,
                "properties": {
                    "name": TEXT,
                    "interval": DURATION,
                    "rules": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["alert", "expr", "labels", "annotations"],
                            "additionalProperties": False,
                            "properties": {
                                "alert": {"type": "string", "pattern": "^Mlflow[A-Za-z]+$"},
                                "expr": TEXT,
                                "for": DURATION,
                                "labels": {
                                    "type": "object",
                                    "required": ["severity"],
                                    "properties": {"severity": {"enum": ["page", "ticket"]}},
                                },
                                "annotations": {
                                    "type": "object",
                                    "required": ["summary", "description"],
                                    "additionalProperties": TEXT,
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def test_the_file_has_the_form_that_prometheus_reads() -> None:
    jsonschema.validate(RULES, SCHEMA)


def test_every_alert_and_group_has_a_name_of_its_own() -> None:
    names = [alert["alert"] for alert in ALERTS]
    groups = [group["name"] for group in RULES["groups"]]

    assert len(set(names)) == len(names)
    assert len(set(groups)) == len(groups)


@ALL
def test_an_expression_is_promql(alert: dict[str, Any]) -> None:
    promql_parser.parse(alert["expr"])


def test_the_sentences_name_settings_and_none_that_does_not_exist() -> None:
    sentences = " ".join(sentence for alert in ALERTS for sentence in alert["annotations"].values())
    named = set(re.findall(r"mlflow:[a-zA-Z]+", sentences))

    assert named
    assert named <= set(schema())


def test_the_names_in_the_expressions_are_those_of_the_program() -> None:
    words = " ".join(alert["expr"] for alert in ALERTS)
    sources = "".join(file.read_text() for file in (PROJECT / "components" / "kubernetes").glob("*.py"))

    assert set(re.findall(r'namespace="([^"]+)"', words)) == {"mlflow"}
    for name in (*re.findall(r'deployment="([^"]+)"', words), *re.findall(r'cronjob="([^"]+)"', words)):
        assert f'"{name}"' in sources
    assert set(re.findall(r'database_id=~"\.\*:([^"]+)"', words)) == {schema()["mlflow:databaseInstance"]["default"]}
