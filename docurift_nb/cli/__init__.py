"""The command line ``docurift-nb``: the only part that reads arguments, prints, and ends a process.

``process`` runs one command and turns its end into an exit code; ``app`` declares the commands and their
options; each other module is one command, or what several share: ``screen`` (where words and tables go),
``layout`` (how tables look), ``ids`` (files of job ids), ``exits`` (the codes). Nothing here asks DocuRift
or reads an archive by itself.
"""

from docurift_nb.cli.process import main

__all__ = ["main"]
