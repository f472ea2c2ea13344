"""As much of JSON Schema (draft 2020-12) as assets/scenario.schema.json uses, with the standard library alone, so that
the test of the schema needs nothing installed. An unknown keyword is a complaint: nothing is skipped in silence."""
import re

ANNOTATIONS = {"$schema", "$id", "$comment", "title", "description", "default", "examples", "$defs"}
KEYWORDS = {"type", "enum", "const", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems",
            "items", "properties", "patternProperties", "additionalProperties", "required", "minProperties",
            "maxProperties", "oneOf", "anyOf", "allOf", "if", "then", "else", "not", "$ref", "propertyNames"}
TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "integer": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and v == int(v),
}


def sub_schemas(schema):
    for key in ("items", "additionalProperties", "if", "then", "else", "not", "propertyNames"):
        if isinstance(schema.get(key), dict):
            yield key, schema[key]
    for key in ("oneOf", "anyOf", "allOf"):
        for index, sub in enumerate(schema.get(key, [])):
            yield f"{key}[{index}]", sub
    for key in ("properties", "patternProperties", "$defs"):
        for name, sub in schema.get(key, {}).items():
            yield f"{key}.{name}", sub


def check_schema(schema, path="#", root=None):
    """What is wrong with the schema itself: keywords that are not looked at here, references to nowhere."""
    root = root or schema
    complaints = [f"{path}: keyword {key} is not checked" for key in schema if key not in KEYWORDS | ANNOTATIONS]
    if "$ref" in schema and resolve(schema["$ref"], root) is None:
        complaints.append(f"{path}: {schema['$ref']} leads nowhere")
    for name, sub in sub_schemas(schema):
        complaints += check_schema(sub, f"{path}/{name}", root)
    return complaints


def resolve(reference, root):
    at = root
    for part in reference.removeprefix("#/").split("/"):
        at = at.get(part) if isinstance(at, dict) else None
    return at


def check_object(value, schema, root, path):
    complaints = [f"{path}: {key} is missing" for key in schema.get("required", []) if key not in value]
    if len(value) < schema.get("minProperties", 0) or len(value) > schema.get("maxProperties", len(value)):
        complaints.append(f"{path}: {len(value)} members")
    for key, member in value.items():
        known = False
        if key in schema.get("properties", {}):
            known = True
            complaints += validate(member, schema["properties"][key], root, f"{path}.{key}")
        for pattern, sub in schema.get("patternProperties", {}).items():
            if re.search(pattern, key):
                known = True
                complaints += validate(member, sub, root, f"{path}.{key}")
        more = schema.get("additionalProperties", True)
        if not known and more is False:
            complaints.append(f"{path}.{key}: unknown key")
        elif not known and isinstance(more, dict):
            complaints += validate(member, more, root, f"{path}.{key}")
        if "propertyNames" in schema:
            complaints += validate(key, schema["propertyNames"], root, f"{path}.{key}")
    return complaints


def check_scalar(value, schema, path):
    complaints = []
    if "enum" in schema and value not in schema["enum"]:
        complaints.append(f"{path}: {value!r} is not one of {schema['enum']}")
    if "const" in schema and (value != schema["const"] or isinstance(value, bool) != isinstance(schema["const"], bool)):
        complaints.append(f"{path}: {value!r} is not {schema['const']!r}")
    if TYPES["number"](value):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            complaints.append(f"{path}: {value} is out of bounds")
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
            complaints.append(f"{path}: {value!r} is too short or too long")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            complaints.append(f"{path}: {value!r} does not match {schema['pattern']}")
    return complaints


def check_combined(value, schema, root, path):
    complaints = []
    for sub in schema.get("allOf", []):
        complaints += validate(value, sub, root, path)
    for key in ("oneOf", "anyOf"):
        if key in schema:
            matching = sum(not validate(value, sub, root, path) for sub in schema[key])
            if matching == 0 or (key == "oneOf" and matching > 1):
                complaints.append(f"{path}: matches {matching} of {key}")
    if "if" in schema:
        branch = "else" if validate(value, schema["if"], root, path) else "then"
        complaints += validate(value, schema.get(branch, {}), root, path)
    if "not" in schema and not validate(value, schema["not"], root, path):
        complaints.append(f"{path}: is what it must not be")
    if "$ref" in schema:
        complaints += validate(value, resolve(schema["$ref"], root), root, path)
    return complaints


def validate(value, schema, root=None, path="$"):
    root = root or schema
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(TYPES[kind](value) for kind in kinds):
        return [f"{path}: {value!r} is not of type {kinds}"]
    complaints = check_scalar(value, schema, path) + check_combined(value, schema, root, path)
    if isinstance(value, dict):
        complaints += check_object(value, schema, root, path)
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
            complaints.append(f"{path}: {len(value)} elements")
        for index, element in enumerate(value):
            complaints += validate(element, schema.get("items", {}), root, f"{path}[{index}]")
    return complaints


def small(**changes):
    scenario = {"cluster": {"topics": [{"name": "orders"}]}, "producers": [{"threads": [{"records": {}}]}]}
    scenario.update(changes)
    return scenario


def with_records(**records):
    return small(producers=[{"threads": [{"records": records}]}])


def with_entry(**entry):
    return small(timeline=[entry])


def mistakes():
    """Scenarios that the schema must refuse, with a name each. The small one that they are made from is fine."""
    yield "no cluster", {"producers": small()["producers"]}
    yield "no producers", small(producers=[])
    yield "a key that is unknown", small(sed=1)
    yield "a seed that is a text", small(seed="1")
    yield "another version", small(linger=2)
    yield "no topics", small(cluster={"topics": []})
    yield "too many brokers", small(cluster={"brokers": 129, "topics": [{"name": "a"}]})
    yield "a topic's name with a space", small(cluster={"topics": [{"name": "a b"}]})
    yield "a quota that limits nothing", small(cluster={"topics": [{"name": "a"}], "quotas": [{"client-id": "a"}]})
    yield "a quota of nothing", small(cluster={"topics": [{"name": "a"}], "quotas": [{"producer_byte_rate": 0}]})
    yield "a setting that is a list", small(producers=[{"config": {"acks": []}, "threads": [{"records": {}}]}])
    yield "no records", small(producers=[{"threads": [{}]}])
    yield "arrivals of no kind", with_records(arrivals="sometimes")
    yield "two kinds of key", with_records(key={"zipf": {"keys": 1}, "cycle": {"keys": 1}})
    yield "keys without a number", with_records(key={"cycle": {}})
    yield "a range of one", with_records(value_bytes={"uniform": [1]})
    yield "a list and a file", with_records(list=[], file={"path": "a.csv"})
    yield "a file without a path", with_records(file={"key": "a"})
    yield "a call of no kind", small(producers=[{"threads": [{"records": {}, "calls": [{"call": "open"}]}]}])
    yield "nothing to do", with_entry(at_ms=1)
    yield "no time", with_entry(do="kill", broker=1)
    yield "something else to do", with_entry(at_ms=1, do="explode")
    yield "a kill without a broker", with_entry(at_ms=1, do="kill")
    yield "a kill with a topic", with_entry(at_ms=1, do="kill", broker=1, topic="orders")
    yield "a slow replica without a delay", with_entry(at_ms=1, do="slow_replica", broker=1)
    yield "an error without a code", with_entry(at_ms=1, do="error")
    yield "a leader that moves nowhere", with_entry(at_ms=1, do="move_leader", topic="orders", partition=0)
    yield "a change of nothing", with_entry(at_ms=1, do="set")
