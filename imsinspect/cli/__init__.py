"""Arguments, exit status, progress; nothing else."""

from imsinspect.cli.main import main

__all__ = ["main"]
