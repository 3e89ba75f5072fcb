"""Reading and preparing molecules with RDKit, Meeko and gemmi; every function takes values and returns values."""
