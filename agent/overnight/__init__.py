"""Unattended nights: what a policy allows is tried, measured and kept or dropped; everything else waits for the morning."""
