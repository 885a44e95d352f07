"""One camera watched: its frames through the pipeline, and what is told of them into the outbox."""
