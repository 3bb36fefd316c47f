"""Two weeks of the old system and a day of the new one: generations, and what the functions logged of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import uuid
from typing import TYPE_CHECKING, Any

from simulators.direct_execution.data import further_output
from simulators.direct_execution.drain import at, called, said
from simulators.direct_execution.history_faults import DEFECTS, Place
from simulators.direct_execution.registry import FILM, IMAGE, SYNCHRONOUS, VIDEO, Model, output_type, price
from simulators.direct_execution.webhook import NAME as WEBHOOK
from simulators.direct_execution.webhook import success_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.direct_execution.bucket import Bucket
    from simulators.faults import Faults

LIVED = dt.timedelta(hours=25)  # the release is so old: its first day is over
BASELINE = dt.timedelta(days=14)
EVERY = dt.timedelta(minutes=1)
FIRST_HOUR_EVERY = dt.timedelta(seconds=20)
BEFORE_EVERY = dt.timedelta(minutes=20)
RETIRED = "6d1b0e0a-3b9e-4a39-8d0e-2f3f1c8b7a55"
CAPTION = 0.1  # credits
KEPT = 125  # records of the suite's own user from before the release
_FAILING_MINUTE = 41  # of every hour, one generation: 1.7 % of what is asked for in the minute's rhythm
_AGENT = "Mozilla/5.0"
_CAUSES = {
    "runware": "Runware: the prompt was refused by the content policy",
    "kie_ai": "Kie.ai: task failed, internal error of the model",
    "lovable_ai_sync": "Lovable AI: rate limit reached",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Happened:
    """One generation of the past. seconds: how long it took; None while it hangs."""

    id: str
    at: dt.datetime
    model: Model
    user: str
    failed: bool
    seconds: float
    settings: dict[str, Any]
    hour: int
    before: bool


class History:
    """The past, the same at every start but for its ids."""

    def __init__(
        self, now: dt.datetime, models: list[Model], users: tuple[str, str], bucket: Bucket, faults: Faults
    ) -> None:
        self.deployed = now - LIVED
        self._now = now
        self._by_id = {model["recordId"]: model for model in models}
        self._models = models
        self._users = users
        self._bucket = bucket
        self._faults = faults
        self._random = random.Random(20251123)  # noqa: S311  a rhythm, not a secret
        self.happened = [*self._before(), *self._since()]

    def _before(self) -> Iterator[Happened]:
        steps = int(BASELINE / BEFORE_EVERY)
        for n in range(steps):
            model = self._by_id[VIDEO] if n % 5 == 0 else self._by_id[IMAGE]
            low, high = (185, 290) if model["recordId"] == VIDEO else (16, 29)
            if self._faults.on("images-were-faster") and model["recordId"] == IMAGE:
                low, high = 9, 18
            if self._faults.on("videos-were-spread") and model["recordId"] == VIDEO:
                low, high = 120, 540
            failed = n % 25 == 1 or (self._faults.on("outage-before") and 400 <= n < 450)  # noqa: PLR2004  a stretch of the two weeks
            yield self._one(
                self.deployed - BASELINE + n * BEFORE_EVERY, n, model, (low, high), failed=failed, before=True
            )

    def _since(self) -> Iterator[Happened]:
        moment, n = self.deployed + dt.timedelta(seconds=5), 0
        while moment < self._now - dt.timedelta(minutes=6):
            yield self._now_one(moment, n)
            n += 1
            first = moment < self.deployed + dt.timedelta(hours=1)
            moment += FIRST_HOUR_EVERY if first else EVERY

    def _now_one(self, moment: dt.datetime, n: int) -> Happened:
        minute = int((moment - self.deployed).total_seconds() // 60)
        model = self._by_id[IMAGE]
        if n % 10 in (2, 7):
            model = self._by_id[VIDEO if n % 20 < 10 else FILM]  # noqa: PLR2004  half of the films
        elif n % 10 == 4:  # noqa: PLR2004  one place of ten
            model = self._by_id[SYNCHRONOUS]
        elif n % 10 == 9:  # noqa: PLR2004  likewise
            model = next(one for one in self._models if one["modelId"] == "google/nano-banana")
        failed = minute % 60 == _FAILING_MINUTE and (minute > 60 or n % 3 == 0)  # noqa: PLR2004  a minute of the first hour has three
        low, high = (190, 280) if output_type(model["contentType"]) == "video" else (11, 23)
        if model["recordId"] == SYNCHRONOUS:
            low, high = 3, 8
        one = self._one(moment, n, model, (low, high), failed=failed, before=False)
        return self._with_defects(one, Place(n=n, minute=minute))

    def _one(
        self, moment: dt.datetime, n: int, model: Model, span: tuple[int, int], *, failed: bool, before: bool
    ) -> Happened:
        settings: dict[str, Any] = {"outputFormat": "PNG"}
        if model["costMultipliers"]:
            settings |= {name: self._random.choice(list(factors)) for name, factors in model["costMultipliers"].items()}
            settings |= {"duration": int(settings["duration"])} if n % 3 == 0 and "duration" in settings else {}
        return Happened(
            id=str(uuid.uuid4()),
            at=moment,
            model=model,
            user=self._users[0] if before and n % 8 == 0 and n // 8 < KEPT else self._users[1],
            failed=failed,
            seconds=self._random.uniform(*span),
            settings=settings,
            hour=int((moment - self.deployed).total_seconds() // 3600),
            before=before,
        )

    def _with_defects(self, one: Happened, place: Place) -> Happened:
        """Return the generation as the faults of the past have it."""
        if self._faults.on("provider-without-traffic") and one.model["provider"] == "kie_ai" and place.between(0, 480):
            return dataclasses.replace(one, model=self._by_id[IMAGE], seconds=15.0, settings={})
        for defect in DEFECTS:
            if self._faults.on(defect.fault) and defect.fits(one, place):
                return dataclasses.replace(one, **defect.changed)
        return one

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the table generations."""
        made = [(one, self._row(one, n)) for n, one in enumerate(self.happened) if not self._lost(one)]
        return [row for _, row in made] + [
            further_output(row)
            for one, row in made
            if not one.before and row["status"] == "completed" and one.hour == 1
        ]

    def _lost(self, one: Happened) -> bool:
        return self._faults.on("night-unrecorded") and not one.before and 14 <= one.hour < 16  # noqa: PLR2004  two hours

    def _row(self, one: Happened, n: int) -> dict[str, Any]:
        cost = round(price(one.model, one.settings) + CAPTION * (n % 40 == 3), 2)  # noqa: PLR2004  as below
        charged = 0.0 if one.failed else self._charged(one, cost, n)
        used = charged if self._faults.on("multiplier-skipped") and charged else cost
        ended = one.at + dt.timedelta(seconds=one.seconds)
        path = f"{one.user}/{one.at:%Y-%m-%d}/{one.id}.png"
        if not one.failed and one.user == self._users[0]:
            self._bucket.put(path, b"\x89PNG\r\n\x1a\n" + one.id.encode(), "image/png")
        record = RETIRED if one.before and n % 50 == 0 else one.model["recordId"]
        if self._faults.on("model-left-behind") and one.before and n % 50 == 1:
            record = str(uuid.UUID(int=0))
        nameless = self._faults.on("model-left-behind-by-name") and one.before and n % 50 == 1
        row = {
            "id": one.id,
            "user_id": one.user,
            "type": output_type(one.model["contentType"]),
            "prompt": "A picture of the past",
            "tokens_used": used,
            "tokens_charged": charged,
            "output_url": None if one.failed else self._bucket.url(path),
            "settings": one.settings,
            "status": "failed" if one.failed else "completed",
            "created_at": one.at,
            "updated_at": ended,
            "completed_at": ended,
            "model_id": "gone/model" if nameless else one.model["modelId"],
            "model_record_id": None if nameless else record,
            "provider_response": {"error": _CAUSES[one.model["provider"]]} if one.failed else {"ok": True},
            "storage_path": None if one.failed else path,
            "parent_generation_id": None,
            "ai_caption": "A picture" if n % 40 == 3 else None,  # noqa: PLR2004  some are captioned
        }
        return self._with_defects_of_records(row, one)

    def _charged(self, one: Happened, cost: float, n: int) -> float:
        if self._faults.on("deduction-lost") and not one.before and n % 40 == 0:
            return 0.0
        if self._faults.on("multiplier-skipped") and str(one.settings.get("duration")) == "10" and one.hour == 3:  # noqa: PLR2004  one hour
            return round(cost / 2, 2)
        return cost

    def _with_defects_of_records(self, row: dict[str, Any], one: Happened) -> dict[str, Any]:
        on = self._faults.on
        if one.before:
            return row
        if on("status-error") and one.failed:
            row["status"] = "error"
        if on("rows-hang") and one.hour == 2 and one.at.minute == 30:  # noqa: PLR2004  a minute of one hour
            row |= {"status": "processing", "completed_at": None, "tokens_charged": 0}
        if on("synchronous-without-moment") and one.model["recordId"] == SYNCHRONOUS:
            row["completed_at"] = None
        if on("synchronous-takes-no-time") and one.model["recordId"] == SYNCHRONOUS:
            row["completed_at"] = row["created_at"]
        if on("error-under-another-key") and one.failed:
            row["provider_response"] = {"message": row["provider_response"]["error"]}
        if on("error-one-level-deeper") and one.failed:
            row["provider_response"] = {"response": row["provider_response"]}
        if on("error-is-an-object") and one.failed:
            row["provider_response"] = {"error": "[object Object]"}
        return row

    def lines(self, functions_url: str) -> Iterator[dict[str, Any]]:
        """Yield what the log drain has of the release's generations."""
        webhooks = 0
        for one in (one for one in self.happened if -24 <= one.hour < 0):  # noqa: PLR2004  the day before
            yield from (*self._key_lines(one, 0, functions_url), *self._calls(one, 0, functions_url))
        for n, one in enumerate(one for one in self.happened if not one.before):
            if self._faults.on("log-stops") and 20 <= (one.at - self.deployed).total_seconds() / 60 < 45:  # noqa: PLR2004  25 minutes
                continue
            if one.model["use_api_key"]:
                yield from self._key_lines(one, n, functions_url)
            webhooks += one.model["provider"] == "kie_ai"
            yield from self._calls(one, webhooks, functions_url)

    def _calls(self, one: Happened, webhooks: int, url: str) -> Iterator[dict[str, Any]]:
        if one.model["provider"] == "kie_ai":
            yield from self._webhook_lines(one, webhooks, url)
        else:
            name = "generate-content-sync" if not one.model["use_api_key"] else "process-runware-response"
            yield at(one.at, called(name, 200, f"{url}/{name}", _AGENT, one.seconds * 1000))

    def _key_lines(self, one: Happened, n: int, url: str) -> Iterator[dict[str, Any]]:
        bad = self._faults.on("keys-failed-for-a-while") and n in (500, 501, 502)
        told = {"provider": one.model["provider"], "modelId": one.model["modelId"], "keyType": one.model["use_api_key"]}
        yield at(one.at, called("get-api-key", 500 if bad else 200, f"{url}/get-api-key", _AGENT, 120))
        if not bad and not self._faults.on("real-key-calls-unlogged"):
            yield at(
                one.at, said("get-api-key", "info", "API key retrieval successful", userId=one.user, metadata=told)
            )

    def _webhook_lines(self, one: Happened, number: int, url: str) -> Iterator[dict[str, Any]]:
        ended = one.at + dt.timedelta(seconds=one.seconds)
        yield at(ended, called(WEBHOOK, 200, f"{url}/{WEBHOOK}?token=x", "kie", 900))
        every = 8 if self._faults.on("webhook-logs-errors") else 20 * self._faults.on("webhook-logs-more-errors")
        if every and not one.before and one.hour == 0 and number % every == 0:
            yield at(ended, {"event": "error", "function": WEBHOOK, "level": "error", "error": "column does not exist"})
        if one.failed:
            yield at(
                ended, {"event": "generation_failed", "function": WEBHOOK, "generationId": one.id, "error": "failed"}
            )
        elif not self._faults.on("real-webhook-success-unlogged"):
            wrong = self._faults.on("success-of-another-provider") and number % 9 == 0
            line = success_line(one.id, "runware" if wrong else "kie_ai", one.seconds)
            yield at(
                ended, {**line, "duration": None} if self._faults.on("duration-missing") and number % 9 == 0 else line
            )
