"""The real code, measured in parts and run as a whole: what feeds the model, and what it is held against."""
