# Everything that can be done with this project; `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help run test setup train check evaluate evaluate-safety evaluate-handoff converse benchmark-nlu \
	benchmark-speed crash-test load-test release-test cluster import-directory channel-check staff-user audit widget lock

# What every Python process of the project wants to find, whatever the caller's shell holds.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPATH := $(CURDIR)
export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
# Some machines switch the compiled bytecode off, which trebles the start of each process.
unexport PYTHONDONTWRITEBYTECODE PYENV_VERSION

python := python -W ignore

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: train ## start everything and print the address of the page to try it
	@$(python) -m scripts.run

test: train browser check ## run every check and every test
	@$(python) -m pytest

setup: built ## install what the project needs: environment, encoder, places, widget, safety check
	@$(python) -m scripts.fit_safety

train: setup ## train a model when the data changed
	@$(python) -m scripts.train

check: built ## check the content, the code's style and its types
	@$(python) -m assistant.content
	@ruff check .
	@mypy

evaluate: train ## FILE=x.tsv: the intents of held-back messages
	@$(python) -m benchmarks.evaluate $(given)

evaluate-safety: setup ## FILE=x.tsv: the safety check on held-back messages
	@$(python) -m benchmarks.evaluate_safety $(given)

evaluate-handoff: train ## FILE=x.jsonl: searches and their places, formats and concerns
	@$(python) -m benchmarks.evaluate_handoff $(given)

converse: environment ## FILE=x.jsonl: play conversations against a running assistant
	@$(python) -m benchmarks.converse $(given)

benchmark-nlu: setup ## TRAIN=a.tsv TEST=b.tsv: the same pipeline on a foreign data set
	@$(python) -m benchmarks.nlu $(if $(TRAIN),"$(TRAIN)",$(error TRAIN is missing: make $@ TRAIN=a.tsv TEST=b.tsv)) \
		$(if $(TEST),"$(TEST)",$(error TEST is missing: make $@ TRAIN=a.tsv TEST=b.tsv))

benchmark-speed: train ## this assistant against Rasa's stock pipeline (about 50 minutes)
	@$(python) -m benchmarks.speed

crash-test: setup ## N=1000: kill the gateway at random under load; nothing may be lost or doubled
	@$(python) -m benchmarks.crash_test $(if $(N),"$(N)",$(error N is missing: make $@ N=1000))

load-test: train ## visitors in real conversations: throughput, latency, errors, memory (about 30 minutes)
	@$(python) -m benchmarks.load_test

release-test: train ## change the model 20 times under load: lost messages, latency, memory (about 5 minutes)
	@$(python) -m benchmarks.release_load

cluster: train browser ## two of each on PostgreSQL and Redis behind nginx, on this machine
	@$(python) -m scripts.cluster

import-directory: setup ## FILE=x.csv: replace the therapist directory
	@$(python) -m scripts.import_directory $(given)

channel-check: environment ## NAME=whatsapp|messenger|slack|telegram|twilio: what is wrong with its settings
	@$(python) -m gateway.channels.check $(if $(NAME),"$(NAME)",$(error NAME is missing: make $@ NAME=whatsapp))

staff-user: environment ## NAME=… ROLE=…: make a staff account and print its first link
	@$(python) -m studio.staff_user $(if $(NAME),"$(NAME)",$(error NAME is missing: make staff-user NAME=… ROLE=…)) \
		$(if $(ROLE),"$(ROLE)",$(error ROLE is missing: make staff-user NAME=… ROLE=…))

audit: environment ## known vulnerabilities among the dependencies
	@$(python) -m scripts.audit

widget: environment ## build the widget and its SRI hash
	@$(python) -m scripts.build_widget

lock: environment ## remake requirements.lock from pyproject.toml
	@.bootstrap/bin/uv pip compile --quiet --python .venv/bin/python --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml --output-file requirements.lock --no-annotate

.PHONY: environment built browser
environment:
	@scripts/bootstrap.sh

# Content that cannot be read would stop the safety check's fit: `make check` must be able to say so.
built: environment
	@$(python) -m scripts.setup

browser:
	@scripts/browser.sh

given = $(if $(FILE),"$(FILE)",$(error FILE is missing: make $@ FILE=…))
