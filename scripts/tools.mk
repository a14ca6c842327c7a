# What developers type besides `make`.
PREFIX  ?= /usr/local
DESTDIR ?=
PYTEST   = $(PYTHON) -m pytest -q -n $(shell nproc) test/boot test/linux test/programs
# Everything that compiles C: what editors and clang-tidy want to know of.
COMPILED = all loader $(UNIT_TESTS:%=$(B)/unit/%) $(FUZZERS:%=$(B)/fuzz/%) $(B)/bench/insns.so \
	$(LINUX_TESTS:%=$(B)/test/linux/glibc-dynamic/%) $(BENCH_PROGRAMS)

.PHONY: help demo check lint format docs install compile_commands.json
help:
	@sed -n 's/^#\( make\)/\1/p' scripts/tools.mk

# make                builds the kernel library and every image: build/images/boot-*
# make demo           installs what is missing, builds, boots build/images/boot-hello
# make check          the same, then lint, every build, unit tests, fuzzers, boot tests
# make lint           format, layers, clang-tidy, shellcheck, pyflakes
# make format         rewrites C files as clang-format has them
# make docs           rewrites the pages that are made from the tree: doc/syscalls.md
# make unit           unit tests on the host            make unit-NAME: one of them
# make fuzz           each fuzzer for FUZZ_SECONDS=5    make fuzz-NAME: one of them
# make oracle         test/linux/*.c on this machine's own Linux, which is what guests are compared with
# make bench          the figures with their bars; build/bench.tsv
# make install        DESTDIR= PREFIX=/usr/local
# make clean          removes build/
# make BUILD=debug    checked build, in build/debug; CC=clang for the other compiler
# make compile_commands.json    for editors

demo:
	@scripts/install-deps
	@$(MAKE) --no-print-directory -s images
	@scripts/boot $(B)/images/boot-hello loglevel=7 -smp 2

check:
	scripts/install-deps
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory -s all loader
	$(MAKE) --no-print-directory -s all BUILD=debug
	$(MAKE) --no-print-directory -s all B=$(B)/clang CC=clang
	$(MAKE) --no-print-directory -s all B=$(B)/clang CC=clang BUILD=debug
	$(MAKE) --no-print-directory -s unit
	$(MAKE) --no-print-directory -s fuzz
	$(MAKE) --no-print-directory -s oracle
	$(MAKE) --no-print-directory -s $(B)/bench/floor $(B)/bench/insns.so
	$(PYTEST) --builds release,debug,clang

lint:
	scripts/lint

format:
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format-14 -i

docs:
	scripts/syscalls --doc

compile_commands.json: $(GEN_H) $(ABI_CONSTANTS)
	scripts/compile-commands $(MAKE) -Bn --no-print-directory CC=$(CC) $(COMPILED)

# Programs, and what links an image elsewhere: the kernel library, its linker script, the roots of each platform, headers.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/drupe/platforms
	$(foreach f,$(wildcard $(B)/bin/*),install -m 755 $(f) $(DESTDIR)$(PREFIX)/bin/ &&) true
	install -m 644 $(KERNEL_LIB) kernel/arch/x86_64/image.ld $(DESTDIR)$(PREFIX)/lib/drupe/
	install -m 644 kernel/init/platforms/* $(DESTDIR)$(PREFIX)/lib/drupe/platforms/
	for f in $(shell find abi lib kernel -name '*.h'); do \
		install -D -m 644 $$f $(DESTDIR)$(PREFIX)/include/drupe/$$f || exit 1; done
	$(foreach f,$(GEN_H),install -D -m 644 $f $(DESTDIR)$(PREFIX)/include/drupe/$(f:$(GEN)/%=%) &&) true
