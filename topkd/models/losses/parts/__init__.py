"""What several losses share: maps of features, labels, memory banks, warm-up."""
