# Two commands are all there is to set-up: `make demo` and `make test`. Every target installs what it needs and is
# missing, and does nothing twice.

SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: demo test lint build bench cluster-up cluster-down clean

TNTC := target/debug/tntc

## demo: run a real workflow on a real document of this repository, without a cluster
demo:
	@scripts/demo

## test: everything, the real cluster included
test:
	@tests/all

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
