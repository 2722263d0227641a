"""Documents and recordings to try Alta with, and what makes them."""
