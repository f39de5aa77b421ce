"""What the tests of serving do not collect."""

# Runs by itself, with KServe.
collect_ignore = ["kserve_server.py"]
