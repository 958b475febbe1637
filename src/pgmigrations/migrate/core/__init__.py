"""What every kind of database object shares; it knows none of them by name."""
