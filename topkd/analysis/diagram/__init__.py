"""Persistence diagram, barcode and persistence image of single point clouds (Figure 6)."""
