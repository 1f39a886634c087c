# make demo: set up, build, run the main job on the bundled pictures, serve the map.
# make python: the Python module, in build/release/python.
# make package: Debian packages of the programs, the library and the Python module.
# make test: set up the rest, build, run every test.
# make check: formatting, a second compiler, clang-tidy on what changed: what CI asks beside the tests.
# make soak: the long form of the tests of reliability, about 20 minutes; MINUTES=60 for the one in which memory must stay flat.
# make fuzz: ten CPU-minutes of every fuzzer with sanitizers, about an hour.
# make sanitize: the whole line under the address and the thread sanitizer; builds it twice.
PRESET ?= release
BENCH := OFF
BINARY := build/$(PRESET)/fogline

.PHONY: all setup build programs python package test-package build-all demo test check soak fuzz sanitize bench format clean
all: build

# Both programs, or only fogline, which is all that the demo needs; all the rest is installed and built by those that use it, in the same folder.
build: PROGRAMS := fogline fogline-lab
PROGRAMS := fogline
build programs:
	@scripts/setup --demo
	@cmake --preset $(PRESET) $(CMAKE_ARGS) --log-level=WARNING
	@cmake --build --preset $(PRESET) --target $(PROGRAMS)

python:
	@scripts/setup --python
	@cmake --preset $(PRESET) $(CMAKE_ARGS) --log-level=WARNING
	@cmake --build --preset $(PRESET) --target fogline_python_package

# Debian packages of what the programs, the library and the module are: build/release/*_VERSION_ARCH.deb.
package:
	@scripts/setup --package
	@cmake --preset $(PRESET) $(CMAKE_ARGS) --log-level=WARNING
	@cmake --build --preset $(PRESET) --target fogline fogline-lab fogline_library fogline_python_package
	@scripts/package

# The packages in a new Debian without compilers: installed, run, upgraded, downgraded, purged. As root; some minutes.
test-package: package
	@tests/deploy/clean_root.sh build/$(PRESET)

setup:
	@scripts/setup

# Benchmarks are built where somebody asks for them; scripts/check compiles them with all the rest.
build-all: setup
	@cmake --preset $(PRESET) -DFOGLINE_TESTS=ON -DFOGLINE_BENCH=$(BENCH) $(CMAKE_ARGS) --log-level=WARNING
	@cmake --build --preset $(PRESET)

demo: programs
	@$(BINARY) demo $(DEMO_ARGS)

# Two tests a core: half of their time they wait for servers, browsers and clocks.
test: build-all
	@ctest --preset $(PRESET) -j "$$((2 * $$(nproc)))"

check: setup
	@scripts/check

soak bench: BENCH := ON

soak: build-all
	@PRESET=$(PRESET) tests/soak/run $(MINUTES)

fuzz: setup
	@scripts/fuzz $(FUZZ_ARGS)

sanitize: setup
	@tests/sanitize/run

bench: build-all
	@bench/run

format:
	@git ls-files '*.cc' '*.h' | xargs clang-format -i
	@cd web && npm run --silent format

clean:
	@rm -rf build
