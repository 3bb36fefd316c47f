# What a newcomer types. `make smoke` and `make test` set the machine up first; a second run starts at once.
#
#   make smoke   verify the embedded local environment: the verdict, then the reports
#   make test    our own tests, without the long proofs        make prove   all of them, every fault included
#   make check   formatting, lint and types                    make lock    resolve the pinned versions anew
#   make tools   the set-up alone

SHELL := /bin/bash
python := .venv/bin/python

# The Node programs that came with the set-up (allure, wrangler) are found by name.
export PATH := $(CURDIR)/.tools/node/node_modules/.bin:$(PATH)

.PHONY: smoke test prove check lock tools python postgres browser node

smoke: tools
	$(python) -m pytest -m smoke --env local

test: tools
	$(python) -m pytest tests -m "not prove" -n 2 --dist loadfile

prove: tools
	$(python) -m pytest tests

check: python
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy .

lock:
	tools/lock.sh

tools: python postgres browser node

python:
	@tools/once.sh .venv requirements.lock tools/python.sh

postgres: python
	@tools/once.sh .tools/postgres requirements.lock tools/postgres.sh

browser: python
	@tools/browser.sh

node:
	@tools/once.sh .tools/node tools/node/package-lock.json tools/node/package.json tools/node.sh
