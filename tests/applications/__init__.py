"""The models of whole applications from the package index, taken as they are."""
