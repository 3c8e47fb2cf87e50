"""Many recorded jobs at once, as columns: only for those that hold nothing out of the ordinary.

What is read here is what ``decode_record`` would read, at little more than half its cost; what might differ
is left to it. No job is built and nothing is judged: ``contract.SHAPES`` tells which rows need no second
look.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from docurift_nb.models.job import Failure
from docurift_nb.models.layout import PlainBareRecord, PlainEnvelope, PlainRecord, WireError
from docurift_nb.models.wire import failure_of


class PlainColumns(NamedTuple):
    """The plain ones among some records, a column per name, all of one length.

    Attributes
    ----------
    row : sequence of int
        Which records these are, ascending.
    n_fields : sequence of int or None
        None where there is no object of extracted fields.
    created_at, updated_at, completed_at, failed_at : sequence of str or None
        Texts as they came, readable or not.
    """

    row: Sequence[int] = ()
    job_id: Sequence[str] = ()
    status: Sequence[str] = ()
    progress: Sequence[float | None] = ()
    document_type: Sequence[str | None] = ()
    document_id: Sequence[str | None] = ()
    n_fields: Sequence[int | None] = ()
    confidence: Sequence[float | None] = ()
    error: Sequence[WireError | None] = ()
    created_at: Sequence[str | None] = ()
    updated_at: Sequence[str | None] = ()
    completed_at: Sequence[str | None] = ()
    failed_at: Sequence[str | None] = ()

    @property
    def failure(self) -> list[Failure | None]:
        """The failures; built at each call."""
        return [None if error is None else failure_of(error) for error in self.error]


_Decode: TypeAlias = Callable[[bytes], PlainEnvelope | PlainBareRecord]
_decode_envelope: _Decode = msgspec.json.Decoder(PlainEnvelope).decode
_decode_bare: _Decode = msgspec.json.Decoder(PlainBareRecord).decode
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_columns(bodies: Sequence[bytes], first: int = 0) -> PlainColumns:
    """Read the plain ones of many recorded jobs, with or without the ``{"success", "data"}`` envelope.

    Their rows count from ``first``.
    """
    found = []
    # Spelled out in one loop: a call or a list more for each record costs as much as half of its columns.
    for row, record in _answers(bodies, first):
        n_fields, score, result = None, None, record.result
        if result is not None:
            fields, score = result.extracted_fields, result.confidence
            n_fields = None if fields is None else len(fields)
        found.append(
            (
                row,
                record.id,
                record.status,
                record.progress,
                record.document_type,
                record.document_id,
                n_fields,
                score,
                record.error,
                record.created_at,
                record.updated_at,
                record.completed_at,
                record.failed_at,
            )
        )
    return PlainColumns(*zip(*found, strict=True))


def _answers(bodies: Sequence[bytes], first: int) -> Iterator[tuple[int, PlainRecord]]:
    decode, other = _decode_envelope, _decode_bare
    for row, body in enumerate(bodies, first):
        try:
            answer = decode(body)
        except _REFUSED:
            try:
                answer = other(body)
            except _REFUSED:
                continue
            # What one record has, the next is likely to have as well.
            decode, other = other, decode
        yield row, answer.data if isinstance(answer, PlainEnvelope) else answer
