"""Which frames would teach a detector most: active learning, before anybody has labelled anything. Pure."""
