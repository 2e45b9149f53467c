"""A study by stages: weights are chosen, terms screened, and what passes is measured on new seeds (docs/study.md)."""
