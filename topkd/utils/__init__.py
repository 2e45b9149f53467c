"""Small helpers with many users: files, checkpoints, configs, seeds, statistics."""
