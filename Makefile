# Python 3.11+ and make are all that a fresh Linux machine needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
INFRA  := .venv-infra
LOCUST := .local/locust
ENCODER := .local/encoder

.PHONY: help demo up down test check audit lock bench hostile load profile chaos accuracy fit fit-encoder deploy plan destroy clean

help:            ## what there is to make
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: $(READY)   ## a mailbox's sent mail becomes time entries (MBOX=path: your own Gmail Takeout .mbox)
	@$(BIN)/python -m infra.local.demo $(if $(MBOX),--mbox "$(MBOX)")

up: $(READY)     ## the same system left running; endpoints and tokens in .local/env (MBOX=path)
	@$(BIN)/python -m infra.local.up $(if $(MBOX),--mbox "$(MBOX)")

down: $(READY)   ## end what `make up` started
	@$(BIN)/python -m infra.local.down

test: $(READY)   ## the whole suite, on the real parts
	@$(BIN)/pytest

check: $(READY) $(INFRA)/ready  ## ruff, mypy --strict, bandit; what deploys: that it parses, checkov, terraform fmt
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/bandit -q -c pyproject.toml -r main.py functions shared infra
	@$(BIN)/hcl2tojson --ndjson --quiet infra/terraform >/dev/null  # checkov passes over what it can't parse
	@$(INFRA)/bin/checkov --directory infra/terraform --framework terraform --quiet --compact --skip-download
	@if command -v terraform >/dev/null; then terraform -chdir=infra/terraform fmt -check -diff -recursive; \
	  else echo "terraform fmt not run: no terraform on the PATH"; fi

audit: $(READY)  ## known vulnerabilities of what is installed; needs PyPI's or OSV's own service (AUDIT_SERVICE=osv)
	@test -x .local/audit/bin/pip-audit || { $(PYTHON) -m venv .local/audit && \
		.local/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.10,<3'; }
	@.local/audit/bin/pip-audit --strict --progress-spinner off --vulnerability-service $(or $(AUDIT_SERVICE),pypi) \
		--path "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

lock:            ## the newest versions that fit requirements.txt into constraints.txt: what every machine and deployment installs
	@rm -rf .local/lock && $(PYTHON) -m venv .local/lock
	@grep -v '^-c ' requirements.txt | .local/lock/bin/python -m pip install --quiet --disable-pip-version-check -r /dev/stdin
	@{ echo "# What is installed of requirements.txt and of what it needs in turn: \`make lock\` writes it anew."; \
	  .local/lock/bin/python -m pip freeze --disable-pip-version-check; } > constraints.txt

bench: $(READY)  ## measured figures, one JSON object
	@$(BIN)/python -m tests.performance.bench

hostile: $(READY)  ## look for text that reading is slow on, by chance; two minutes (SEED=7)
	@$(BIN)/python -m tests.performance.hostile $(if $(SEED),--seed $(SEED))

profile: $(READY)  ## what a scan of 50 emails allocates; a flame graph in .local/ (EMAILS=number)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'memray>=1.20,<2'
	@$(BIN)/python -m tests.performance.memory_profile $(EMAILS)

load: $(READY) $(LOCUST)/ready  ## load on the real parts; reports in .local/load/ (SCENARIO=sustained HOURS=4 FACTOR=1); docs/load.md
	@$(BIN)/python -m tests.load $(SCENARIO) $(if $(HOURS),--hours $(HOURS)) $(if $(FACTOR),--factor $(FACTOR))

chaos: $(READY)  ## mail and every kind of trouble at once, each entry compared at the end; a quarter of an hour (SEED=7); docs/faults.md
	@$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED))
	@$(BIN)/python -m tests.chaos --unaided --emails 600 --minutes 2 $(if $(SEED),--seed $(SEED))

accuracy: $(READY)  ## precision, recall, type, day, client; a row a tag; fails below what it must reach
	@$(BIN)/python -m tests.accuracy

fit: $(READY)    ## count what the signs around an amount weigh, over the labelled mail
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'scikit-learn>=1.9,<2'
	@$(BIN)/python -m tests.accuracy.fit

fit-encoder: $(READY)  ## train the encoder on the labelled mail, an hour (FURTHER="hands": go on with theirs); then make fit
	@test -d $(ENCODER) || $(PYTHON) -m venv $(ENCODER)
	@$(ENCODER)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/accuracy/requirements-encoder.txt
	@HF_HUB_OFFLINE=1 $(ENCODER)/bin/python -m tests.accuracy.fit_encoder $(FURTHER)

deploy: $(READY) ## to Google Cloud and Supabase (PROJECT=id REGION=europe-west1); docs/deploy.md
	@$(BIN)/python -m infra.deploy deploy $(PLACE)

plan: $(READY)   ## show what deploy would run, and run nothing (PROJECT= REGION=)
	@$(BIN)/python -m infra.deploy deploy --dry-run $(PLACE)

destroy: $(READY)  ## take down what deploy made in Google Cloud; asks before (PROJECT= REGION=)
	@$(BIN)/python -m infra.deploy destroy $(PLACE)

PLACE = --project "$(or $(PROJECT),$(error say where: PROJECT=id REGION=europe-west1))" \
  --region "$(or $(REGION),$(error say where: PROJECT=id REGION=europe-west1))" \
  $(if $(SUPABASE),--supabase "$(SUPABASE)") $(if $(YES),--yes) $(if $(filter no,$(DATABASE)),--keep-database)

clean:           ## remove what the commands above made
	@rm -rf $(VENV) $(INFRA) .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): requirements.txt constraints.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=python3.x")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "python3 can't make virtual environments here: install its venv package (Debian: python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(INFRA)/ready: requirements-infra.txt
	@echo "Setting up $(INFRA) ..."
	@$(PYTHON) -m venv $(INFRA)
	@$(INFRA)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-infra.txt
	@touch $@

# Apart from all else: gevent replaces parts of the standard library in whatever imports it.
$(LOCUST)/ready: tests/load/requirements.txt
	@echo "Setting up $(LOCUST) ..."
	@$(PYTHON) -m venv $(LOCUST)
	@$(LOCUST)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/load/requirements.txt
	@touch $@
