"""Jobs or observations at hand to pandas frames."""

from collections.abc import Iterable

import pandas as pd

from docurift_nb.frames.reading import read_records
from docurift_nb.frames.schemas import to_frame
from docurift_nb.models import Job, Observation


def jobs_frame(records: Iterable[Job | Observation]) -> pd.DataFrame:
    """Lay out jobs, or what was observed of them, as one row per job id.

    Of several records with one id, a final one beats an open one, an open one beats none; then the later
    ``updated_at`` wins, then the later in order. Records without an id have no row; ``problems_frame``
    lists both. Rows stand in the order of the records they show.

    ``is_open`` is True while the end is still to come: the status is not ``completed`` or ``failed`` and
    looking has not ended. It is True for an unseen job, and False for one whose looking ended as
    ``not_found``, ``denied`` or ``expired``: that one is neither open nor known to have ended. Its
    ``status`` is the last word heard, missing where there never was one. ``observed_at`` and ``observation``
    (a word of ``Seen``) are missing for plain jobs.

    Returns
    -------
    pandas.DataFrame
        The columns of ``JOBS_SCHEMA``: text as ``string``, times as ``datetime64[us, UTC]``, numbers as
        ``Float64`` or ``Int64``, flags as ``boolean``; seconds in ``duration_s``.

    Raises
    ------
    ConfigError
        When an element is neither a job nor an observation.
    """
    return to_frame(read_records(records).jobs)


def fields_frame(records: Iterable[Job | Observation]) -> pd.DataFrame:
    """Lay out extracted fields as one row per job and field, for the jobs that ``jobs_frame`` shows.

    Returns
    -------
    pandas.DataFrame
        ``value`` holds text as it came, other JSON as compact JSON text, and is missing for ``null``;
        ``value_type`` is the JSON type; ``is_empty`` tells ``null``, blank text, ``[]`` and ``{}``.

    Raises
    ------
    ConfigError
        When an element is neither a job nor an observation.
    """
    return to_frame(read_records(records).fields())


def problems_frame(records: Iterable[Job | Observation]) -> pd.DataFrame:
    """Lay out what breaks the contract, one row per breach, in the order of the records.

    A record that lost against another of its id shows no breaches of its own, only ``duplicate_record``, or
    ``conflicting_record`` where the two differ and the lost one is not simply an earlier state: it is final
    too, or open with an ``updated_at`` not before that of the kept one.

    Returns
    -------
    pandas.DataFrame
        ``job_id`` (missing where the record has none), ``record`` (index of the record in the input, from
        0), ``code``, ``where`` (wire path), ``detail`` (may hold text from the API: untrusted).

    Raises
    ------
    ConfigError
        When an element is neither a job nor an observation.
    """
    return to_frame(read_records(records).problems)
