"""The description of an API (OpenAPI 3.1): what every operation answers, added to what each says of itself."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kernel.guard import APP_KEY_SCHEME

SCHEMA = "ProblemAnswer"
PROBLEM: Mapping[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "A refusal (RFC 9457). `code` is stable: programs act on it, people read `detail`.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:xinyin:problem:seal_not_usable"]},
        "title": {"type": "string", "examples": ["Conflict"]},
        "status": {"type": "integer", "examples": [409]},
        "code": {"type": "string", "examples": ["seal_not_usable"]},
        "detail": {"type": "string", "examples": ["Seal 44030000000001 is suspended."]},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "the parts of the request that do not fit",
            "items": {
                "type": "object",
                "required": ["field", "problem"],
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}
_CONTENT = {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{SCHEMA}"}}}
_GUARDED = {"401": "token_missing, token_refused", "403": "forbidden"}
_WITH_BODY = {"400": "request_unreadable", "413": "body_too_large"}
_WITH_INPUT = {"422": "request_invalid; errors names the fields"}
_SIGNED = {
    "401": "signed with an app key: signature_malformed, signature_stale, signature_refused, signature_replayed, "
    "body_altered",
    "429": "signed with an app key: signature_attempts",
}
_ALWAYS = {"503": "database_unavailable"}
_FRAMEWORK = "Validation Error"
_UNUSED = ("HTTPValidationError", "ValidationError")


def problems(rows: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Describe a route's own refusals: by HTTP status, the codes that come with it."""
    return {status: {"description": words, "content": _CONTENT} for status, words in rows.items()}


def describe(app: FastAPI) -> None:
    """Let ``app`` describe, beside what its routes say, the refusals that come with any call of their kind."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(get_openapi(title=app.title, version=app.version, routes=app.routes))
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's own way of changing it


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    for operations in made["paths"].values():
        for operation in operations.values():
            _complete(operation)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for name in _UNUSED:
        schemas.pop(name, None)
    schemas[SCHEMA] = dict(PROBLEM)
    return made


def _complete(operation: dict[str, Any]) -> None:
    answers: dict[str, Any] = operation["responses"]
    rows = dict(_ALWAYS)
    if "security" in operation:
        rows |= _GUARDED
    if "requestBody" in operation:
        rows |= _WITH_BODY | _WITH_INPUT
    if operation.get("parameters"):
        rows |= _WITH_INPUT
    for status, words in rows.items():
        said = answers.get(status, {}).get("description", "")
        told = said not in ("", _FRAMEWORK)
        whole = said if told and words.partition(";")[0] in said else f"{words}; {said}" if told else words
        answers[status] = {"description": whole, "content": _CONTENT}
    if any(APP_KEY_SCHEME in way for way in operation.get("security", ())):
        for status, words in _SIGNED.items():
            said = answers.get(status, {}).get("description", "")
            answers[status] = {"description": f"{said}; {words}" if said else words, "content": _CONTENT}
    operation["responses"] = dict(sorted(answers.items()))
