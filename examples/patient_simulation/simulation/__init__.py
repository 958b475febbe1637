"""The patient simulation: students talk with patients that a language model plays."""
