# What this project can do, one target each; `make` lists them.

CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help test lint clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## run all tests
	$(CARGO) test --locked

lint: ## check format, lints, licences and advisories
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

clean: ## remove what builds and tests made
	$(CARGO) clean
