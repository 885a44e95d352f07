"""`python -m agent`."""

import sys

try:
    from agent.cli.main import main
except ModuleNotFoundError as error:
    if str(error.name).partition(".")[0] == "agent":
        raise
    # Called by the machine's own Python: nothing is installed there.
    sys.exit(f"{sys.executable} has no package {error.name}\n  hint: make setup, then .venv/bin/ngatu")

main()
