"""Features of labeled images in the plane, and how well networks separate classes (Figure 5, Table 21)."""
