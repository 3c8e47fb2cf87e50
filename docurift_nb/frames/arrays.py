"""Values to Arrow arrays."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from docurift_nb.frames.schemas import TIME

Bools: TypeAlias = npt.NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return texts; what UTF-8 has no form for becomes a question mark."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        # Lone surrogates have no UTF-8; one such text must not cost the whole chunk.
        scrubbed = [value and value.encode("utf-8", "replace").decode("utf-8") for value in values]
        return pa.array(scrubbed, pa.string())


def floats(values: Sequence[float | None]) -> pa.Array:
    """Return numbers, NaN as missing."""
    return pa.array(values, pa.float64(), from_pandas=True)


def times(values: Sequence[datetime | None]) -> pa.Array:
    """Return times in UTC; naive ones are taken as such."""
    # Arrow asks each aware time for its offset, at four times the cost of this subtraction.
    try:
        since = [None if value is None else value - _EPOCH for value in values]
    except TypeError:
        return pa.array(values, TIME)
    return pa.array(since, pa.duration("us")).view(TIME)


# Days that every year has, in the forms that nearly all records hold. Each of them is a time that any
# reader of ISO 8601 gives the same value, so that the cast can neither fail nor differ.
_DAY = r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_HOUR = r"(?:[01]\d|2[0-3]):[0-5]\d"
_PLAIN_TIME = rf"^[12]\d{{3}}-{_DAY}T{_HOUR}:[0-5]\d(?:\.\d{{1,6}})?(?:Z|[+-]{_HOUR})$"
# The same for a column of texts of one length, byte by byte: what these bounds let pass and is no time, the
# cast refuses.
_LOWEST = np.frombuffer(b"1000-00-00T00:00:00.000Z", np.uint8)
_HIGHEST = np.frombuffer(b"2999-19-39T29:59:59.999Z", np.uint8)


def plain_times(given: pa.Array) -> tuple[pa.Array, Bools]:
    """Return times from their texts, and which of these were plain or missing; the others are null.

    Plain are the usual forms of ISO 8601 with a zone. A text that is not may be a time all the same.
    """
    if _is_regular(given):
        with suppress(pa.ArrowInvalid):
            return given.cast(TIME), np.ones(len(given), dtype=bool)
    is_plain = pc.fill_null(pc.match_substring_regex(given, _PLAIN_TIME), fill_value=True)
    return pc.if_else(is_plain, given, None).cast(TIME), as_bools(is_plain)


def _is_regular(given: pa.Array) -> bool:
    found = given.drop_null()
    width = len(_LOWEST)
    if not len(found):
        return True
    if found.offset or not (pc.binary_length(found).to_numpy() == width).all():
        return False
    letters = np.frombuffer(found.buffers()[2], np.uint8, len(found) * width).reshape(-1, width)
    return bool(((letters >= _LOWEST) & (letters <= _HIGHEST)).all())


def as_bools(flags: pa.Array) -> Bools:
    """Return an array without nulls as one of NumPy."""
    found: Bools = flags.to_numpy(zero_copy_only=False)
    return found


def joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Return the rows of at least one batch in one."""
    columns = zip(*(batch.columns for batch in batches), strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.concat_arrays(parts) for parts in columns], schema=batches[0].schema
    )
