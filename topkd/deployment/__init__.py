"""Trained networks as files that run without PyTorch, compared with what they were made from."""
