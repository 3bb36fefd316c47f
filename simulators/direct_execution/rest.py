"""Tables and functions over HTTP, as the platform's REST service gives them: with the rights of who asks."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from simulators.direct_execution.data import adapted
from simulators.direct_execution.sessions import RefusedTokenError
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.direct_execution.data import Data
    from simulators.direct_execution.sessions import Session, Sessions

_OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "LIKE"}
_ARGUMENTS = frozenset({"select", "order", "limit", "offset", "on_conflict", "columns"})


class Rest:
    """The routes below /rest/v1."""

    def __init__(self, data: Data, sessions: Sessions) -> None:
        self._data = data
        self._sessions = sessions

    def answer(self, request: Request) -> Response:
        """Serve one table or one function."""
        try:
            session = self._sessions.of(request)
        except RefusedTokenError:
            return json_response({"code": "PGRST301", "message": "JWSError JWSInvalidSignature"}, 401)
        try:
            return self._answer(request, session)
        except psycopg.errors.InsufficientPrivilege as error:
            return _refusal(error, 401 if session.role == "anon" else 403)
        except psycopg.errors.UndefinedTable as error:
            return _refusal(error, 404)
        except psycopg.errors.UniqueViolation as error:
            return _refusal(error, 409)
        except psycopg.Error as error:
            return _refusal(error, 400)

    def _answer(self, request: Request, session: Session) -> Response:
        name = request.path.removeprefix("/rest/v1/")
        if name.startswith("rpc/"):
            rows = self._run(session, _call(name.removeprefix("rpc/"), request.json()))
            return json_response([_plain(row) for row in rows])
        statement = _statement(request, name)
        rows = [_plain(row) for row in self._run(session, statement)]
        if "vnd.pgrst.object" in request.header("Accept"):
            if len(rows) != 1:
                return json_response({"code": "PGRST116", "message": "Cannot coerce the result"}, 406)
            return json_response(rows[0])
        status = {"GET": 200, "POST": 201}.get(request.method, 200)
        if request.method != "GET" and "return=representation" not in request.header("Prefer"):
            return Response(status=201 if request.method == "POST" else 204)
        return json_response(rows, status)

    def _run(self, session: Session, statement: Composed) -> list[dict[str, Any]]:
        with self._data.transaction(session.role, session.user) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _statement(request: Request, table: str) -> Composed:
    given = parse_qsl(urlsplit(request.target).query)
    where = _where([(name, text) for name, text in given if name not in _ARGUMENTS])
    target = SQL("public.{}").format(Identifier(table))
    back = SQL(" RETURNING *") if "return=representation" in request.header("Prefer") else SQL("")
    if request.method == "GET":
        return SQL("SELECT {} FROM {}{}{}").format(_columns(dict(given)), target, where, _order(dict(given)))
    if request.method == "DELETE":
        return SQL("DELETE FROM {}{}{}").format(target, where, back)
    body = request.json()
    if request.method == "PATCH":
        sets = SQL(", ").join(SQL("{} = {}").format(Identifier(n), Literal(adapted(v))) for n, v in body.items())
        return SQL("UPDATE {} SET {}{}{}").format(target, sets, where, back)
    rows = body if isinstance(body, list) else [body]
    names = SQL(", ").join(map(Identifier, rows[0]))
    values = SQL(", ").join(
        SQL("({})").format(SQL(", ").join(Literal(adapted(row[name])) for name in rows[0])) for row in rows
    )
    return SQL("INSERT INTO {} ({}) VALUES {}{}").format(target, names, values, back)


def _columns(given: dict[str, str]) -> Composable:
    wanted = given.get("select", "*")
    return SQL("*") if wanted == "*" else SQL(", ").join(Identifier(name) for name in wanted.split(","))


def _where(filters: list[tuple[str, str]]) -> Composable:
    if not filters:
        return SQL("")
    return SQL(" WHERE ") + SQL(" AND ").join(_condition(name, text) for name, text in filters)


def _condition(name: str, text: str) -> Composable:
    operator, _, value = text.partition(".")
    if operator == "is":
        return SQL("{} IS NULL").format(Identifier(name))
    if operator == "in":
        values = SQL(", ").join(Literal(part.strip('"')) for part in value.strip("()").split(","))
        return SQL("{}::text IN ({})").format(Identifier(name), values)
    if operator == "like":
        value = value.replace("*", "%")
    return SQL("{}::text {} {}").format(Identifier(name), SQL(_OPERATORS[operator]), Literal(value))


def _order(given: dict[str, str]) -> Composable:
    found: Composable = SQL("")
    if "order" in given:
        name, _, way = given["order"].partition(".")
        found += SQL(" ORDER BY {} {}").format(Identifier(name), SQL("DESC" if way.startswith("desc") else "ASC"))
    if re.fullmatch(r"\d+", given.get("limit", "")):
        found += SQL(" LIMIT {}").format(Literal(int(given["limit"])))
    return found


def _call(name: str, arguments: dict[str, Any]) -> Composed:
    given = SQL(", ").join(
        SQL("{} => {}").format(Identifier(key), Literal(adapted(value))) for key, value in arguments.items()
    )
    return SQL("SELECT * FROM public.{}({})").format(Identifier(name), given)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _json(value) for name, value in row.items()}


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str | dict | list) else str(value)


def _refusal(error: psycopg.Error, status: int) -> Response:
    body = {"code": error.sqlstate, "details": None, "hint": None, "message": error.diag.message_primary}
    return json_response(body, status)
