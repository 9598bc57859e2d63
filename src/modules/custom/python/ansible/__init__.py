"""runbook's own package of this name: what modules import of it, and nothing else."""

__version__ = "2.18.19"
