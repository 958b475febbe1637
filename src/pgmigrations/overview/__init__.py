"""What a person sees of a database: the revisions on it, and what it holds."""
