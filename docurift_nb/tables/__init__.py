"""Frames to tables: free functions that answer one question each.

Every function takes a frame with the columns of ``docurift_nb.frames.JOBS_SCHEMA`` (one's own will do, as
long as the columns it names are there) and returns a new plain frame: group keys are columns, rates are
fractions in 0..1, counts are ``int64`` (``Int64`` where one can be missing), estimates are ``Float64`` and
missing where the data cannot support one. Missing keys are groups of their own. The order of the input
rows never matters.

``columns`` reads what frames hold, ``groups`` splits rows, ``intervals`` holds the interval methods; the
other modules are one table each. Nothing here opens a file, draws, or reads a clock.
"""

from docurift_nb.tables.confidence import confidence
from docurift_nb.tables.durations import durations
from docurift_nb.tables.failures import failure_rates, failures
from docurift_nb.tables.overview import overview

__all__ = ["confidence", "durations", "failure_rates", "failures", "overview"]
