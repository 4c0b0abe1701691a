"""YAML enough for the tests' own configurations: JSON is YAML."""

import json


def dump(value: dict) -> str:
    return json.dumps(value, indent=2) + "\n"
