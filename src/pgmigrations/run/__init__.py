"""Connect to the database and bring it to a revision, safely and repeatably."""
