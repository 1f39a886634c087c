# make demo: set up, build, run the main job on the bundled pictures, serve the map.
# make test: set up, build, run every test.
# make soak: the long form of the tests of reliability, about 20 minutes.
# make fuzz: ten CPU-minutes of every fuzzer with sanitizers, about an hour.
# make sanitize: the whole line under the address and the thread sanitizer; builds it twice.
PRESET ?= release
BINARY := build/$(PRESET)/fogline

.PHONY: all setup build demo test soak fuzz bench format clean
all: build

setup:
	@scripts/setup

build: setup
	@cmake --preset $(PRESET) $(CMAKE_ARGS) --log-level=WARNING
	@cmake --build --preset $(PRESET)

demo: build
	@$(BINARY) demo $(DEMO_ARGS)

test: build
	@ctest --preset $(PRESET) -j "$$(nproc)"

soak: build
	@PRESET=$(PRESET) tests/soak/run

fuzz: setup
	@scripts/fuzz $(FUZZ_ARGS)

sanitize: setup
	@tests/sanitize/run

bench: build
	@bench/run

format:
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

clean:
	@rm -rf build
