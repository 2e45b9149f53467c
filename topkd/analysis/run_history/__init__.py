"""What MMEngine logged over trainings, read and drawn."""
