"""`python -m imsinspect` is the command line."""

from imsinspect.cli import main

main()
