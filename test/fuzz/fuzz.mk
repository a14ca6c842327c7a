# Fuzzers on the host: `make fuzz [FUZZ_SECONDS=5]` runs each for that long, `make fuzz-NAME` one. A fuzzer is
# test/fuzz/fuzz_NAME.c (libFuzzer's entry), one line FUZZ_NAME with the sources that it needs, and seeds in
# test/fuzz/seeds/NAME/. What it finds on the way is kept in build/fuzz/corpus/NAME. The shim is the unit tests'.

FUZZ_cmdline := lib/cmdline.c
FUZZ_elf := lib/elf.c
FUZZ_symtab := lib/symtab.c
FUZZ_acpi     := $(UNIT_acpi)
FUZZ_erofs    := $(EROFS_SRC)
FUZZ_bootinfo := $(UNIT_bootinfo)
FUZZ_mptable  := $(UNIT_mptable)

FUZZ_SECONDS ?= 5
FUZZ_CC      ?= clang

FUZZ_pci := kernel/dev/bus/pci_bar.c kernel/dev/bus/pci_msi.c lib/fmt.c
FUZZ_virtio_mmio := kernel/dev/firmware/virtio_mmio.c kernel/dev/firmware/aml.c lib/cmdline.c

FUZZERS     := $(patsubst test/fuzz/fuzz_%.c,%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
FUZZ_OBJ    := $(B)/obj/fuzz
FUZZ_CFLAGS := $(UNIT_CFLAGS) -fsanitize=fuzzer-no-link

.PHONY: fuzz $(FUZZERS:%=fuzz-%)
fuzz: $(FUZZERS:%=fuzz-%)

$(FUZZERS:%=fuzz-%): fuzz-%: $(B)/fuzz/%
	@mkdir -p $(B)/fuzz/corpus/$*
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -timeout=5 -verbosity=0 -artifact_prefix=$(B)/fuzz/$*- \
		$(B)/fuzz/corpus/$* $(wildcard test/fuzz/seeds/$*)

$(FUZZ_OBJ)/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@

define fuzz_program
$(B)/fuzz/$(1): $(FUZZ_OBJ)/test/fuzz/fuzz_$(1).o $(FUZZ_OBJ)/test/unit/shim/shim.o $(FUZZ_$(1):%.c=$(FUZZ_OBJ)/%.o)
	@mkdir -p $$(@D)
	$$(Q)$$(FUZZ_CC) $$(FUZZ_CFLAGS) -fsanitize=fuzzer -o $$@ $$^
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_program,$(f))))
