"""The only place that speaks HTTP.

``key`` keeps the API key out of sight, ``settings`` judges what a client is set up with, ``transport`` makes
one bounded request, ``answers`` turns what came into a job or the right error, ``client`` is what users hold.
"""

from docurift_nb.client.client import Client

__all__ = ["Client"]
