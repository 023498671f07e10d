"""The power-cut campaign: every write can be the last one. See tests/vm/torture/run."""
