"""What a persistence image costs by each route to it (Table 13)."""
