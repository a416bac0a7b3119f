"""The rules of strict structured output: what of JSON Schema the real API takes, and what it refuses."""

import re
from dataclasses import dataclass
from typing import Any, Final

from infra.local.openai.errors import OpenAiError, bad_request

MOST_DEPTH: Final = 10
MOST_PROPERTIES: Final = 5_000
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_REFUSED: Final = frozenset(
    {"allOf", "not", "oneOf", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties"}
    | {"default", "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties", "contains", "uniqueItems"}
)
_TYPES: Final = frozenset({"string", "number", "boolean", "integer", "object", "array", "null"})


def check_format(name: Any, schema: Any, *, strict: bool) -> None:
    """Refuse what the real API refuses of a response format. Raises OpenAiError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise bad_request("Invalid 'response_format.json_schema.name'.", param="response_format.json_schema.name")
    if strict:
        _Schema(f"response_format '{name}'", "response_format", "invalid_json_schema").check(schema)


def check_function(place: int, name: str, parameters: Any) -> None:
    """Refuse what the real API refuses of a strict function, the tool at `place`. Raises OpenAiError."""
    if not _NAME.fullmatch(name):
        param = f"tools[{place}].function.name"
        raise bad_request(
            f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern "
            f"'^{_NAME.pattern}$'.",
            param=param,
            code="invalid_value",
        )
    param = f"tools[{place}].function.parameters"
    _Schema(f"function '{name}'", param, "invalid_function_parameters").check(parameters)


@dataclass(slots=True)
class _Schema:
    """One schema while it is checked: what it is of, and how a refusal names it."""

    of: str
    param: str
    code: str
    properties: int = 0

    def check(self, schema: Any) -> None:
        if not isinstance(schema, dict) or schema.get("type") != "object" or "anyOf" in schema:
            raise self._refused((), "schema must be a JSON Schema of 'type: \"object\"'")
        definitions = schema.get("$defs", {})
        if not isinstance(definitions, dict):
            raise self._refused(("$defs",), "must be an object")
        self._check(schema, definitions, ())
        for key, definition in definitions.items():
            self._check(definition, definitions, ("$defs", key))

    def _check(self, schema: Any, definitions: dict[str, Any], path: tuple[str, ...]) -> None:
        if not isinstance(schema, dict):
            raise self._refused(path, "must be an object")
        if len(path) > 2 * MOST_DEPTH:
            raise self._refused(path, f"is nested deeper than {MOST_DEPTH} levels")
        if refused := _REFUSED.intersection(schema):
            raise self._refused(path, f"'{min(refused)}' is not permitted")
        if "$ref" in schema:
            target = str(schema["$ref"])
            known = target.startswith("#/$defs/") and target.removeprefix("#/$defs/") in definitions
            if target != "#" and not known:
                raise self._refused(path, f"reference to unknown definition {target}")
            if set(schema) - {"$ref", "description"}:
                raise self._refused(path, "$ref cannot have keywords beside it")
            return
        if "anyOf" in schema:
            for place, option in enumerate(schema["anyOf"]):
                self._check(option, definitions, (*path, "anyOf", str(place)))
            return
        kinds = schema.get("type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if "enum" not in schema and "const" not in schema and not _TYPES.issuperset(kinds):
            raise self._refused(path, "schema must have a 'type' key")
        if "object" in kinds:
            self._check_object(schema, path)
            for key, value in schema.get("properties", {}).items():
                self.properties += 1
                if self.properties > MOST_PROPERTIES:
                    raise self._refused(path, f"more than {MOST_PROPERTIES} properties")
                self._check(value, definitions, (*path, "properties", key))
        if "array" in kinds:
            if "items" not in schema:
                raise self._refused(path, "array schema missing items")
            self._check(schema["items"], definitions, (*path, "items"))

    def _check_object(self, schema: dict[str, Any], path: tuple[str, ...]) -> None:
        if schema.get("additionalProperties") is not False:
            raise self._refused(path, "'additionalProperties' is required to be supplied and to be false")
        properties = set(schema.get("properties", {}))
        if set(schema.get("required", [])) != properties:
            raise self._refused(
                path, "'required' is required to be supplied and to be an array including every key in properties"
            )

    def _refused(self, path: tuple[str, ...], why: str) -> OpenAiError:
        place = ", ".join(f"'{each}'" for each in path)
        return bad_request(
            f"Invalid schema for {self.of}: In context=({place}), {why}.", param=self.param, code=self.code
        )
