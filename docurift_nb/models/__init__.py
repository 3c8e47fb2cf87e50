"""What the API says, as values: the only place where wire names become ours.

``wire`` decodes bytes into the shapes of ``layout``, and hands to ``loose`` what does not fit; ``contract``
lists what in a record breaks the documented contract, ``job`` holds the values all of them produce. ``bulk``
reads many records as columns. Nothing here does I/O or reads a clock.
"""

from docurift_nb.models.job import (
    FINAL_STATUSES,
    KNOWN_STATUSES,
    ExtractedField,
    Failure,
    Job,
    Problem,
    Refusal,
)
from docurift_nb.models.observation import ENDED_UNSEEN, Observation, Seen
from docurift_nb.models.wire import decode_answer, decode_record, decode_records, decode_refusal

__all__ = [
    "ENDED_UNSEEN",
    "FINAL_STATUSES",
    "KNOWN_STATUSES",
    "ExtractedField",
    "Failure",
    "Job",
    "Observation",
    "Problem",
    "Refusal",
    "Seen",
    "decode_answer",
    "decode_record",
    "decode_records",
    "decode_refusal",
]
