"""`python -m admin` is `xinyin`."""

from admin.cli import main

main()
