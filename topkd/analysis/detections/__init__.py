"""What detectors find in images of the test split, drawn below each other."""
