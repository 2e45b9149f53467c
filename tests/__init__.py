"""The tests; a package, so that ``python -m tests.campaigns`` finds them whatever else is installed."""
