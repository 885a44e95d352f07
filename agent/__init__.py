"""ngatu: the agent on the pole. It sees, tracks, judges, delivers and proves."""

import os

__version__ = "0.1.0"

# ONNX Runtime would give the box a number of its own and report to its maker, from the moment of its import on.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# NumPy would start a thread for each core at its import: a tenth of a second, and nothing here is large enough.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
