"""All that is served over HTTP, as one application."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute


def create_app(routes: Sequence[BaseRoute]) -> Starlette:
    """The application of these routes. What goes wrong is told in a word and no detail."""
    app = Starlette(routes=list(routes), exception_handlers={404: _plain, 405: _plain, 500: _plain})
    # Starlette answers 500 to a query that is not UTF-8 where it would redirect to a path with a slash.
    app.router.redirect_slashes = False
    return app


async def _plain(_request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    words = {404: "not found\n", 405: "not allowed\n"}
    return PlainTextResponse(words.get(status, "an error of the server\n"), status_code=status)
