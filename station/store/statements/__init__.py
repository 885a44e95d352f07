"""Statements in the words of either database: rows put once or put anew, and many rows at once."""
