"""Exact and approximated persistence images of several networks on the same clouds (Figures 4, 7 and 8)."""
