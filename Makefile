# Two commands are all there is to set-up: `make demo` and `make test`. Every target installs what it needs and is
# missing, and does nothing twice. `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: help demo test unit lint build bench cluster-up cluster-down clean

TNTC := target/debug/tntc

## help: what can be made
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

## demo: run a real workflow on a real document of this repository, without a cluster
demo:
	@scripts/demo

## test: everything, the real cluster included
test:
	@tests/all

## unit: the tests that need neither a cluster nor root, under a minute when nothing is to be built
unit:
	@tests/all unit

## lint: formatters, linters, licences; changes nothing
lint:
	@tests/all lint

## build: the release binary
build:
	cargo build --release --package tntc

## bench: what is measured, beside what it is measured against
bench: cluster-up
	@bench/run

## cluster-up: a real one-node Kubernetes, a registry, nats-server and dockerd
cluster-up:
	@tests/cluster/up
	@tests/cluster/services up

## cluster-down: stop them and leave nothing behind
cluster-down:
	@tests/cluster/services down
	@tests/cluster/down

## clean: build products; the cluster's downloads stay
clean:
	cargo clean
