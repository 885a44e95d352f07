"""The catalogue of detectors, and the build-time tools that fetch, convert and export them."""
