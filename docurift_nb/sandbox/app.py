"""The HTTP surface of the sandbox, as one bare ASGI callable.

Routing, and the order in which a request is judged: credentials, limits, fault scripts, truth. No
framework stands in front of ``GET /v1/jobs/:id``, since thousands of jobs are asked for there.
"""

import string
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from docurift_nb.sandbox.clock import Clock, seeded
from docurift_nb.sandbox.exchange import Exchange
from docurift_nb.sandbox.faults import Faults
from docurift_nb.sandbox.jobs import Job
from docurift_nb.sandbox.keys import Keys
from docurift_nb.sandbox.listing import list_answer, read_query
from docurift_nb.sandbox.misbehaviour import Truth, misbehave
from docurift_nb.sandbox.requestlog import RequestLog
from docurift_nb.sandbox.scenarios import Scenario
from docurift_nb.sandbox.service import Service
from docurift_nb.sandbox.uploads import accepted, read_upload
from docurift_nb.sandbox.wire import Answer, Refusal

_JOB = b"/v1/jobs/"
_LIST = b"/v1/jobs"
_UPLOAD = b"/v1/documents/process/async"
_REQUEST_ID_LETTERS = string.ascii_lowercase + string.digits


class App:
    """The ASGI application over one service; it has no state of its own.

    Parameters
    ----------
    clock, service, keys, faults, log
        The parts of the sandbox.
    seed
        Decides the request ids.
    uploads
        Scenario that uploaded documents follow.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        service: Service,
        keys: Keys,
        faults: Faults,
        log: RequestLog,
        seed: object = 0,
        uploads: Scenario | None = None,
    ) -> None:
        self._clock, self._service, self._keys = clock, service, keys
        self._faults, self._log = faults, log
        self._request_ids = seeded(seed, "requests")
        self._uploads = uploads or Scenario()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        path: bytes = scope["raw_path"]
        exchange = Exchange(scope, receive, send, log=self._log, now=self._clock.now())
        # Routed before decoding, so that an encoded slash stays part of an id.
        tail = path[len(_JOB) :] if path.startswith(_JOB) else b""
        if tail and b"/" not in tail:
            await self._job(unquote(tail.decode("ascii")), scope, exchange)
        else:
            await self._other(path, scope, receive, exchange)

    async def _job(self, job_id: str, scope: Scope, exchange: Exchange) -> None:
        self._log.asked(job_id)
        try:
            _allow(scope, "GET")
            owner = self._keys.admit(scope["headers"])
            self._keys.enter(owner)
        except Refusal as refusal:
            await exchange.reply(refusal.answer(self._request_id()))
            return
        try:
            await self._look(job_id, owner, exchange)
        finally:
            self._keys.leave(owner)

    async def _look(self, job_id: str, owner: str, exchange: Exchange) -> None:
        now = self._clock.now()
        job, answer = self._truth(job_id, owner, now)
        running = job is not None and now < job.end_s
        fault = self._faults.draw(job_id, known=job is not None, running=running)
        if fault is None:
            await exchange.reply(answer, final_of=job_id if answer.final else None)
        else:
            self._log.faulted(str(fault.kind))
            await misbehave(fault, exchange, Truth(job_id, job, answer, now, self._request_id()))

    def _truth(self, job_id: str, owner: str, now: float) -> tuple[Job | None, Answer]:
        try:
            job = self._service.find(job_id, owner)
        except Refusal as refusal:
            return None, refusal.answer(self._request_id())
        return job, job.answer(now)

    async def _other(self, path: bytes, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        self._log.asked()
        try:
            answer = await self._routed(path, scope, receive)
        except Refusal as refusal:
            answer = refusal.answer(self._request_id())
        except ClientDisconnect:
            await exchange.hang()
            return
        await exchange.reply(answer)

    async def _routed(self, path: bytes, scope: Scope, receive: Receive) -> Answer:
        if path == _LIST:
            return self._list(scope)
        if path == _UPLOAD:
            return await self._upload(scope, receive)
        raise Refusal(404, "NOT_FOUND", "The requested resource was not found")

    def _list(self, scope: Scope) -> Answer:
        _allow(scope, "GET")
        owner = self._keys.admit(scope["headers"])
        query, now = read_query(scope["query_string"]), self._clock.now()
        return list_answer(self._service.page(query, owner=owner, now=now), query, now)

    async def _upload(self, scope: Scope, receive: Receive) -> Answer:
        _allow(scope, "POST")
        owner = self._keys.admit(scope["headers"], "POST")
        upload = await read_upload(Request(scope, receive))
        return accepted(
            self._service.upload(
                upload.content, owner=owner, document_type=upload.document_type, scenario=self._uploads
            )
        )

    def _request_id(self) -> str:
        return "req_" + "".join(self._request_ids.choices(_REQUEST_ID_LETTERS, k=12))


def _allow(scope: Scope, method: str) -> None:
    if scope["method"] != method:
        raise Refusal(405, "METHOD_NOT_ALLOWED", f"Method {scope['method']} is not allowed here")
