"""What trained networks cost and what they are worth, side by side: size, operations, memory, latency, accuracy."""
