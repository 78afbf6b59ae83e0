# SPDX-License-Identifier: Apache-2.0
# Every target sets up what it needs on a fresh Debian 12: system packages, virtual environment, all of it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EVERY_BOARD := $(VENV)/.every-board
TFLITE := .venv-tflite
ROOMS := train export codegen firmware
JOBS := $(shell nproc)
TIME ?= 60

.PHONY: help setup demo docs test check lint unit bench bench-docs bench-check bundles package seal soak fuzz mutants misra prove tflite clean

help:
	@echo "make demo    real speech through the whole chain, five emulated cores: build/demo/report.html"
	@echo "make test    every test; emulators, other cores than Arm's and a browser included"
	@echo "make docs    the documentation as a site to read offline, with search: build/site/index.html"
	@echo "make check   lint, types and fast tests"
	@echo "make tflite  int8 TFLite of the shipped network beside our integers: build/tflite"
	@echo "make bench   instructions, sizes and cycles by core; speed of the host build and of a training step"
	@echo "make bench-docs renews the tables of docs/benchmarks.md, kernels.md and skipping.md, and the figure of the latter"
	@echo "make bench-check fails where a figure of docs/benchmarks.md or dyncp/networks is off by over 1 %"
	@echo "make bundles exports the shipped checkpoints into the package, dyncp/networks, with what each costs"
	@echo "make package wheel and sdist in empty environments of every Python from 3.11 that is there"
	@echo "make seal    renews the manifests of the shipped checkpoints after their cards were edited"
	@echo "make soak    half an hour of noise in one stream: C equals the reference, nothing drifts; no state is unsafe"
	@echo "make misra   MISRA C:2012 on small generated libraries, held against docs/misra.md"
	@echo "make prove   Frama-C on every call on any state, and on kernels with unknown inputs; held against docs/assurance.md"
	@echo "make fuzz    libFuzzer on the generated C, atheris on all readers of files; TIME=60 seconds for each kind of input"
	@echo "make mutants which small faults in reference, probes, masks and C kernels the tests notice; TIME=60 for each file"

setup: $(READY)

$(READY): pyproject.toml ci/constraints.txt ci/install-debian.sh
	ci/install-debian.sh
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -c ci/constraints.txt -e '.[train,benchmark,demo,interchange,docs,dev]'
	touch $@

# The toolchains and emulators of the boards that are not validated by default.
$(EVERY_BOARD): ci/install-debian.sh $(READY)
	ci/install-debian.sh all
	touch $@

demo: $(READY)
	$(BIN)/dyncp demo --out build/demo

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

test: $(EVERY_BOARD)
	$(BIN)/pytest -n $(JOBS) --dist worksteal

check: lint unit

lint: $(READY) build/types/dyncp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h' '*.cpp')
	$(BIN)/mypy
	rm -rf build/house && mkdir -p build/house && cp -rL build/types/dyncp build/house
	cd build/house && $(CURDIR)/$(BIN)/lint-imports --no-cache $(CURDIR)/pyproject.toml

unit: $(READY)
	$(BIN)/pytest -n $(JOBS) -m 'not slow'

bench: $(READY)
	$(BIN)/python -m dyncp.bench.cores
	$(BIN)/python -m dyncp.bench.framings
	$(BIN)/python -m dyncp.bench.skipping
	$(BIN)/python -m dyncp.bench.speed

bench-docs: $(READY)
	$(BIN)/python -m dyncp.bench.cores --docs
	$(BIN)/python -m dyncp.bench.framings --docs
	$(BIN)/python -m dyncp.bench.skipping --docs

bench-check: $(READY)
	$(BIN)/python -m dyncp.bench.cores --check
	$(BIN)/python -m dyncp.bench.shipping.bundles --check

bundles: $(READY)
	$(BIN)/python -m dyncp.bench.shipping.bundles

package: $(READY)
	$(BIN)/pytest -q tests/installed

seal: $(READY)
	$(BIN)/python -m dyncp.train.network.seal train/checkpoints/*

soak: $(READY)
	$(BIN)/python -m dyncp.bench.soak
	$(BIN)/python -m dyncp.bench.assurance.corrupt

fuzz: $(READY)
	$(BIN)/python -m dyncp.bench.assurance.fuzz --seconds $(TIME)
	$(BIN)/python -m dyncp.bench.loaders.command --seconds $(TIME)

mutants: $(READY)
	$(BIN)/python -m dyncp.bench.mutants.command --seconds $(TIME)

misra: $(READY)
	$(BIN)/python -m dyncp.bench.assurance.misra

prove: $(READY)
	ci/install-debian.sh prove
	$(BIN)/python -m dyncp.bench.assurance.prove

# An environment of its own: the converter pins an older numpy, onnx and protobuf.
tflite: $(TFLITE)/.ready
	$(TFLITE)/bin/python -m pytest -q tests/tflite
	$(TFLITE)/bin/dyncp tflite signals build/tflite

$(TFLITE)/.ready: pyproject.toml ci/constraints-tflite.txt ci/install-debian.sh
	ci/install-debian.sh
	test -x $(TFLITE)/bin/python || $(PYTHON) -m venv $(TFLITE)
	$(TFLITE)/bin/pip install -q --disable-pip-version-check -c ci/constraints-tflite.txt \
		-e '.[train,demo,tflite]' hypothesis pytest
	touch $@

# mypy cannot map folders to packages; it reads the rooms through a tree of links under their import names. import-linter
# follows no links, so that `make lint` copies the tree for it.
build/types/dyncp: pyproject.toml Makefile
	rm -rf $@ && mkdir -p $@
	ln -sfn $(addprefix $(CURDIR)/,$(ROOMS)) $(addprefix $(CURDIR)/,$(filter-out %/__pycache__,$(wildcard dyncp/*))) $@

clean:
	rm -rf build
