"""Where objects live: in memory for reading, in SQLite to survive."""
