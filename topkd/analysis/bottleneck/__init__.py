"""Bottleneck distances between the persistence diagrams of teacher and students (Table 20)."""
