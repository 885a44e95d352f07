"""The console's interface for programs: what its pages show, as JSON and CSV, under /api/v1."""
