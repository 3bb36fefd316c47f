"""The D1 HTTP API: one query endpoint over the SQLite database."""

from __future__ import annotations

import dataclasses
import re
import sqlite3
from typing import TYPE_CHECKING, Any

from simulators.model_config.database import statements
from simulators.serving import json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.faults import Faults
    from simulators.model_config.database import Database, Result
    from simulators.serving import Request, Response

_ROUTE = re.compile(r"(?:/client/v4)?/accounts/(?P<account>[^/]+)/d1/database/(?P<database>[^/]+)/query")


class _BodyError(Exception):
    """The request body is not what the API documents."""


def _refuse(status: int, code: int, text: str) -> Response:
    errors = [{"code": code, "message": text}]
    return json_response({"result": [], "errors": errors, "success": False, "messages": []}, status)


@dataclasses.dataclass(frozen=True, kw_only=True)
class D1:
    """The API of one account with one database, for whoever brings the token."""

    data: Database
    faults: Faults
    account: str
    database: str
    token: str

    def answer(self, request: Request) -> Response:
        """Serve `POST /accounts/{account}/d1/database/{database}/query`, also under `/client/v4`."""
        route = _ROUTE.fullmatch(request.path)
        if route is None:
            return _refuse(404, 7000, "No route for that URI")
        if request.method != "POST":
            return _refuse(405, 10405, "Method not allowed for this authentication scheme")
        if request.header("Authorization") != f"Bearer {self.token}":
            return _refuse(401, 10000, "Authentication error")
        if route["account"] != self.account:
            return _refuse(403, 10000, "Authentication error")
        if route["database"] != self.database:
            return _refuse(404, 7404, f"The database {route['database']} could not be found")
        return self._query(request)

    def _query(self, request: Request) -> Response:
        try:
            asked = _statements(request)
        except (_BodyError, ValueError) as error:
            return _refuse(400, 7400, f"The request is malformed: {error}")
        try:
            results = self.data.batch(asked, writable=not self.faults.on("d1-token-read-only"))
        except sqlite3.ProgrammingError as error:
            return _refuse(400, 7500, str(error))
        except sqlite3.Error as error:
            if error.sqlite_errorname == "SQLITE_READONLY":
                return _refuse(403, 10000, "Authentication error")
            name = "_".join(error.sqlite_errorname.split("_")[:2])  # D1 prints the primary code only
            return _refuse(400, 7500, f"{error}: {name}")
        parts = [_part(result, self.data.size()) for result in results]
        return json_response({"result": parts, "errors": [], "messages": [], "success": True})


def _statements(request: Request) -> list[tuple[str, Sequence[Any]]]:
    body = request.json()
    queries = body.get("batch", [body]) if isinstance(body, dict) else None
    if not isinstance(queries, list) or not queries:
        raise _BodyError("an object with `sql`, or with a list `batch`, is needed")
    found: list[tuple[str, Sequence[Any]]] = []
    for query in queries:
        sql, parameters = query.get("sql"), query.get("params") or []
        split = list(statements(sql)) if isinstance(sql, str) else []
        if not split:
            raise _BodyError("`sql` holds no statement")
        if parameters and len(split) > 1:
            raise _BodyError("`params` go with a single statement")
        found += [(statement, parameters) for statement in split]
    return found


def _part(result: Result, size: int) -> dict[str, Any]:
    milliseconds = round(result.seconds * 1000, 4)
    meta = {
        "served_by": "v3-prod",
        "served_by_region": "WEUR",
        "served_by_primary": True,
        "timings": {"sql_duration_ms": milliseconds},
        "duration": milliseconds,
        "changes": result.changes,
        "last_row_id": result.last_row_id,
        "changed_db": result.changed,
        "size_after": size,
        "rows_read": max(len(result.rows), result.changes),
        "rows_written": result.changes,
    }
    return {"results": result.objects, "success": True, "meta": meta}
