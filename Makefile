# Everything a visitor, a contributor or CI does. `make help` lists it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DEMO   := .venv-demo
BENCH  := .venv-bench
FLOORS := .venv-floors
MUTANT := .venv-mutants
# Editable is what a checkout wants. Setuptools warns of it every time: folders here go before what is installed.
EDITABLE := PYTHONWARNINGS='ignore:Editable installation'
# Tests wait for brokers, cameras and browsers a part of their time: two more processes than cores.
WORKERS ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 2)))
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# What `make test` leaves to `make test-long`, in pytest's words; and the files where it is, for only these are read then.
LONG = long or browser
LONG_TESTS = $(sort $(shell grep -rlE 'mark\.(long|browser)\b' tests --include='test_*.py'))
# Programs under test are started hundreds of times: uncached, each would be compiled anew at every start.
unexport PYTHONDONTWRITEBYTECODE
# What is tried with the lowest versions: a user of each dependency, without what takes longest (words for pytest's -k).
FLOORS_TESTS = tests/agent/core tests/agent/cameras tests/agent/detectors tests/agent/mqtt tests/agent/outbox tests/agent/publishing \
  tests/agent/wire tests/agent/commands tests/contracts/test_outbox.py tests/models \
  tests/station/store tests/station/access tests/station/ingest tests/station/outward tests/station/shift tests/station/web/api \
  tests/agent/config/test_schema.py tests/agent/cli/test_main.py \
  tests/agent/test_log.py tests/agent/host/test_machine.py tests/agent/status/test_metrics.py tests/fleet/bundle/test_archive.py \
  tests/fleet/ca/test_authority.py tests/repo/test_guides.py tests/fleet/test_label.py
FLOORS_WITHOUT = integrity or tamper or nuisance or any_event or salvage or killed or rtsp or service or watch or hostile or ten_thousand
SCRIPTS = .ci/run $(shell grep -rIlE '^\#!/bin/(ba)?sh' deploy)

.PHONY: help setup demo test test-long golden golden-accept mutants test-floors test-faults test-duty-room test-fleet test-boards test-csi test-vm test-image check bench verifier models bundle image docs clean

# An environment with this checkout in it, and so many MB free for it; .ci/environment says why it cannot be made.
define environment
@command -v "$(PYTHON)" >/dev/null || { printf '%s: no such program\n  hint: ngatu needs Python 3.11 or newer: make PYTHON=python3.11 %s\n' "$(PYTHON)" "$(MAKECMDGOALS)" >&2; exit 1; }
@$(EDITABLE) "$(PYTHON)" .ci/environment $(1) '$(2)' $(3) $(MAKECMDGOALS)
@touch $@
endef
COMMA := ,

.DEFAULT:
	@echo "there is no target $@; 'make help' lists them" >&2; exit 1

help: ## Print this list.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-13s %s\n", $$1, $$2}'

setup: $(VENV)/.complete ## Make .venv and install everything for development.

$(VENV)/.complete: setup.cfg pyproject.toml
	@echo "setting up $(VENV) (once, a minute or two)"
	$(call environment,$(VENV),.[test$(COMMA)lint$(COMMA)demo],1500)

$(DEMO)/.complete: setup.cfg pyproject.toml
	@echo "setting up $(DEMO) (once, a minute or so)"
	$(call environment,$(DEMO),.[models$(COMMA)demo],900)

demo: $(DEMO)/.complete ## Run the main job on real footage, up to the duty room's screen; KEEP=1 stays until Ctrl-C.
	@$(DEMO)/bin/python -m examples.demo.run $(if $(filter-out 0 no,$(KEEP)),--keep)

test: $(VENV)/.complete ## Run the tests, without those that are long.
	@$(PYTEST) -m 'not ($(LONG))'

test-long: $(VENV)/.complete ## Run the long tests: whole sites, clusters, browsers, boxes that are killed.
	@$(PYTEST) -m '$(LONG)' $(LONG_TESTS)

golden: $(VENV)/.complete ## Show what three known clips give otherwise than they did; ends with 1 if anything.
	@$(BIN)/python -m tests.golden

golden-accept: $(VENV)/.complete ## Take what these clips give now as right; then read git diff tests/golden.
	@$(BIN)/python -m tests.golden --accept

$(MUTANT)/.complete: setup.cfg pyproject.toml
	@echo "setting up $(MUTANT) (once, a minute or so)"
	$(call environment,$(MUTANT),.[mutants],1500)

mutants: $(MUTANT)/.complete ## Change the durable code line by line and see which tests notice (hours; MUTANTS='agent.wire.*').
	@$(MUTANT)/bin/mutmut run $(MUTANTS)
	@$(MUTANT)/bin/mutmut results

$(FLOORS)/.complete: setup.cfg pyproject.toml
	@echo "setting up $(FLOORS) (once, a minute or so)"
	@$(PYTHON) -m venv --clear $(FLOORS)
	@$(FLOORS)/bin/python -m pip install --quiet 'uv>=0.5'
	@$(EDITABLE) $(FLOORS)/bin/uv pip install --quiet --python $(FLOORS)/bin/python \
	  --resolution lowest-direct --only-binary :all: --no-binary ngatu --no-binary font-roboto -e '.[test]'
	@touch $@

test-floors: $(FLOORS)/.complete ## Run the core of the tests with the lowest versions that setup.cfg allows.
	@NGATU_FUZZED_CONFIGS=20 $(FLOORS)/bin/python -m pytest -n $(WORKERS) --dist loadfile $(FLOORS_TESTS) -m 'not ($(LONG))' -k 'not ($(FLOORS_WITHOUT))'

test-faults: $(VENV)/.complete ## Try every promise about faults on real parts, a line each (FAULTS="P1 --long").
	@$(BIN)/python -m tests.acceptance.faults --json build/faults.json $(FAULTS)

test-duty-room: $(VENV)/.complete ## Try every promise about the duty room's screen, in a browser (DUTY_ROOM="P77 --long").
	@$(BIN)/python -m tests.acceptance.duty_room --json build/duty_room.json $(DUTY_ROOM)

test-fleet: $(VENV)/.complete ## Try the roll-out on real hosts over SSH, a line each (as root; FLEET="F0 P40").
	@$(BIN)/python -m tests.acceptance.fleet --json build/fleet.json $(FLEET)

test-boards: $(VENV)/.complete ## Try bundles in the user space of each board, arm64 by qemu; prints the table (as root; half an hour; not in CI).
	@$(BIN)/python -m tests.acceptance.boards --json build/boards.json $(BOARDS)

test-csi: $(VENV)/.complete ## Try ribbon cameras with the real picamera2 on libcamera's virtual camera (as root; not in CI).
	@$(BIN)/python -m tests.acceptance.csi --json build/csi.json $(CSI)

test-image: $(VENV)/.complete ## Try the image of station and broker, by podman or systemd-nspawn (as root; not in CI).
	@$(BIN)/python -m tests.acceptance.image --json build/image.json

test-vm: $(VENV)/.complete ## Try USB cameras, the hardware checklist and real power cuts in a machine under QEMU (as root; not in CI).
	@$(BIN)/python -m tests.acceptance.vm --json build/vm.json $(VM)

check: $(VENV)/.complete ## Linters, types, import contracts; playbooks, units and shell scripts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd deploy/ansible && $(abspath $(BIN))/yamllint --strict .
	cd deploy/ansible && PATH="$(abspath $(BIN)):$$PATH" ansible-lint -q --nocolor
	$(BIN)/python -m tests.acceptance.fleet.unit_files
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); \
	  else echo "shell scripts: not judged, shellcheck is not here: apt install shellcheck"; fi

# norfair asks for a rich of 2022, or for a NumPy of 2023; it works with ours, so it comes without its wishes.
# trackers brings the OpenCV with windows, whose Qt is 9 MB of memory that no box has (docs/decisions/0008).
$(BENCH)/.complete: setup.cfg
	@echo "setting up $(BENCH) (once, a minute or two)"
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --upgrade pip
	@$(EDITABLE) $(BENCH)/bin/python -m pip install --quiet -e '.[demo,models,postgresql]' 'pytest>=8.3' 'httpx>=0.28' 'playwright>=1.49' 'trackeval>=1.3' 'trackers>=2.6.1'
	@$(BENCH)/bin/python -m pip install --quiet --no-deps norfair==2.1.1 'filterpy<2'
	@$(BENCH)/bin/python -m pip uninstall --quiet --yes opencv-python
	@$(BENCH)/bin/python -m pip install --quiet --no-deps --force-reinstall 'opencv-python-headless>=4.10,<6'
	@touch $@

bench: $(BENCH)/.complete ## Run every benchmark on the footage beside the checkout; prints tables, gates nothing.
	$(BENCH)/bin/python -m benchmarks all

verifier: $(VENV)/.complete ## One file that judges packages of footage, for whoever receives them: build/ngatu-verify.pyz.
	@$(BIN)/python -m verifier.single_file build/ngatu-verify.pyz
	@echo build/ngatu-verify.pyz

models: $(VENV)/.complete ## Fetch the default detector into its usual place.
	$(BIN)/ngatu models fetch yolov3-tiny-416

bundle: $(VENV)/.complete ## One signed file for boxes without internet (KEY=release.key BUNDLE="--arch aarch64 --python 3.11").
	$(BIN)/ngatu bundle build --key $(or $(KEY),release.key) $(BUNDLE)

image: $(VENV)/.complete ## Station and broker as one OCI image (as root): build/ngatu-station.oci.tar.
	@$(BIN)/python -m fleet.oci build/ngatu-station.oci.tar

docs: $(VENV)/.complete ## Rewrite what is generated: example, references, man pages, schemas, catalogues of messages.
	$(BIN)/python -m agent.config.reference
	$(BIN)/python -m agent.cli.reference
	$(BIN)/python -m agent.cli.man
	$(BIN)/python -m agent.wire.describe
	$(BIN)/python -m station.describe
	$(BIN)/python -m tests.support.catalogue

clean: ## Remove what was built or written by a demo.
	rm -rf $(VENV) $(DEMO) $(BENCH) $(FLOORS) $(MUTANT) mutants demo build *.egg-info
