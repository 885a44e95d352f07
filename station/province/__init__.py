"""The province: what its communes' stations send up, kept; one worker for each shard."""
