"""Watch, keep and tabulate thousands of DocuRift extraction jobs from a notebook."""

__version__ = "0.1.0"
