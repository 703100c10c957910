# Each target sets up what it needs, once. Versions and folders of the tools: scripts/env.sh.
.DEFAULT_GOAL := help
.PHONY: help demo test bench check build clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## the app, the Worker and two stand-in providers; prints one URL; needs no key
	@scripts/demo.sh

test: ## every test: native, Chromium, Firefox, WebKit, Node, workerd, end to end, packaged
	@scripts/test.sh

bench: ## CPU per request and bytes shipped, beside the usual libraries
	@scripts/bench.sh

check: ## format, lints, types, docs
	@scripts/check.sh

build: ## the Wasm, the package, the Worker and the app
	@scripts/build.sh

clean: ## remove what was built (installed tools and npm packages stay)
	rm -rf target pkg/wasm pkg/dist worker/dist www/dist worker/.wrangler
