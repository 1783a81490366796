"""Known query: a query parameter that no part of a route takes is refused: a misspelt one is not passed over."""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request


def only_known_query(request: Request) -> None:
    """Refuse (422) a query parameter that the described route does not name; a FastAPI dependency.

    Routes that stand in no description, such as pages, take what links bring along.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    names = set(_names(route.dependant))
    names |= {row["name"] for row in (route.openapi_extra or {}).get("parameters", ()) if row["in"] == "query"}
    unknown = sorted({name for name, _ in request.query_params.multi_items()} - names)
    if unknown:
        raise RequestValidationError([{"loc": ("query", name), "type": "extra_forbidden"} for name in unknown])


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _names(each)
