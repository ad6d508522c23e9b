"""Plans for the tests, in the form of HashiCorp's "JSON Output Format"; written here, not recorded."""

from __future__ import annotations

import json
from typing import Any

AWS = "registry.terraform.io/hashicorp/aws"
Json = dict[str, Any]


def expression(value: Any) -> Any:
    """The configuration's side of a planned value: a constant, or the body of nested blocks."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return [{k: expression(v) for k, v in item.items() if v is not None} for item in value]
    return {"constant_value": value}


def resource(  # the parts of a plan that speak of one instance
    address: str,
    values: Json,
    *,
    expressions: Json | None = None,
    unknown: Any = None,
    sensitive: Any = None,
    actions: tuple[str, ...] = ("create",),
    before: Json | None = None,
    provider: str = "aws",
    index: str | int | None = None,
    **change: Any,
) -> Json:
    """One instance; ``expressions`` are those of constants unless they are given."""
    plain = address if address.startswith("module.") else address.partition("[")[0]
    words = plain.split(".")
    data = "data" in words[:-2]
    name = words[-1].partition("[")[0]
    return {
        "address": address,
        "type": words[-2],
        "name": name,
        "mode": "data" if data else "managed",
        "values": values,
        "expressions": {k: expression(v) for k, v in values.items() if v is not None}
        if expressions is None
        else expressions,
        "unknown": unknown or {},
        "sensitive": sensitive or {},
        "actions": list(actions),
        "before": before,
        "provider": provider,
        "index": index,
        "change": change,
    }


def plan(
    *resources: Json,
    providers: Json | None = None,
    variables: Json | None = None,
    declared: Json | None = None,
    calls: Json | None = None,
    prior: tuple[Json, ...] = (),
    indent: int | None = 1,
    **more: Any,
) -> str:
    """The text of a plan of the root module."""
    planned, changes = [], []
    configured: dict[str, Json] = {}
    for item in resources:
        common = {k: item[k] for k in ("address", "mode", "type", "name")}
        common["provider_name"] = AWS
        if item["index"] is not None:
            common["index"] = item["index"]
        if item["actions"] != ["delete"]:
            planned.append(
                {**common, "schema_version": 0, "values": item["values"], "sensitive_values": {}}
            )
        extra = dict(item["change"])
        top = {k: extra.pop(k) for k in ("action_reason", "previous_address") if k in extra}
        changes.append(
            {
                **common,
                **top,
                "change": {
                    "actions": item["actions"],
                    "before": item["before"],
                    "after": None if item["actions"] == ["delete"] else item["values"],
                    "after_unknown": item["unknown"],
                    "before_sensitive": False,
                    "after_sensitive": item["sensitive"],
                    **extra,
                },
            }
        )
        local = f"{'data.' if item['mode'] == 'data' else ''}{item['type']}.{item['name']}"
        configured[local] = {
            "address": local,
            "mode": item["mode"],
            "type": item["type"],
            "name": item["name"],
            "provider_config_key": item["provider"],
            "expressions": item["expressions"],
            "schema_version": 0,
        }
    text: Json = {"format_version": "1.2", "terraform_version": "1.11.4"}
    if variables is not None:
        text["variables"] = {name: {"value": value} for name, value in variables.items()}
    text["planned_values"] = {"root_module": {"resources": planned}}
    text["resource_changes"] = changes
    if prior:
        text["prior_state"] = {
            "format_version": "1.0",
            "values": {"root_module": {"resources": [_prior(item) for item in prior]}},
        }
        for item in prior:
            configured[item["address"]] = {
                "address": item["address"],
                "mode": "data",
                "type": item["type"],
                "name": item["name"],
                "provider_config_key": item["provider"],
                "expressions": item["expressions"],
            }
    root: Json = {"resources": list(configured.values())}
    if declared is not None:
        root["variables"] = declared
    if calls is not None:
        root["module_calls"] = calls
    text["configuration"] = {
        "provider_config": {"aws": provider("aws", region="eu-west-1")}
        if providers is None
        else providers,
        "root_module": root,
    }
    text.update(more)
    return json.dumps(text, indent=indent)


def _prior(item: Json) -> Json:
    common = {k: item[k] for k in ("address", "mode", "type", "name")}
    return {**common, "provider_name": AWS, "values": item["values"], "sensitive_values": {}}


def provider(name: str, alias: str = "", **arguments: Any) -> Json:
    """One provider configuration; an argument is a constant or an expression."""
    found: Json = {"name": name, "full_name": AWS}
    if alias:
        found["alias"] = alias
    if arguments:
        found["expressions"] = {
            key: value if isinstance(value, (dict, list)) else {"constant_value": value}
            for key, value in arguments.items()
        }
    return found


def refers(*names: str) -> Json:
    """An expression that names other things."""
    return {"references": list(names)}


def policy(*statements: Json) -> str:
    """A policy as AWS's provider normalises it."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":")
    )


ADMIN = policy({"Effect": "Allow", "Action": "*", "Resource": "*", "Sid": "Everything"})
