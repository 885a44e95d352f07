"""Ratios measured in one run, beside the field's own tools: `python -m benchmarks NAME PATHS… [--json FILE]`.

Each NAME is a module or package here with `main(paths) -> rows`; docs/guide/benchmarks.md tells what each
measures.
"""
