"""Arguments, exit status, progress; nothing else."""
