"""The fast code behind the plain names of topkd.topology."""
