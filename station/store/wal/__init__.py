"""SQLite's write-ahead log: how much it holds, and how it comes into the database's file beside the writers."""
