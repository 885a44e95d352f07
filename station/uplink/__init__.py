"""What the province shall have of a station, gathered out of its store and sent up."""
