"""Spanning trees, cycles and distances of many clouds at once: the fast code behind the names of topkd.topology."""
