"""From networks as others publish them to ONNX as we run it: converters, eight-bit numbers, less to do."""
