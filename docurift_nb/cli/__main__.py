"""``python -m docurift_nb.cli``: the same as ``docurift-nb``."""

from docurift_nb.cli import main

if __name__ == "__main__":
    main()
