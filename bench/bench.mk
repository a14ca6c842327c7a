# The benchmarks: the least kernel, and the shim that counts guest instructions inside QEMU.
.PHONY: bench bench-programs
bench: images $(IMAGES)/linux $(B)/bench/floor $(B)/bench/insns.so bench-programs
	$(PYTHON) bench/run.py $(BENCH)

$(B)/bench/floor: bench/floor.S
	@mkdir -p $(@D)
	$(CC) -m32 -c $< -o $@.o
	ld -m elf_i386 -z noexecstack --no-warn-rwx-segments --build-id=none -N -Ttext-segment=0x100000 -e start -o $@ $@.o

$(B)/bench/insns.so: bench/insns.c
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -shared -fPIC -o $@ $<

# Ordinary Linux programs, static, that run in every guest: NAME-musl and NAME-glibc. The compilers are those of test/linux.
BENCH_CFLAGS   := -std=gnu17 -O2 -D_GNU_SOURCE -I. $(WARN) -pthread
BENCH_PROGRAMS := $(foreach n,cost hello init spin,$(B)/bench/programs/$(n)-musl $(B)/bench/programs/$(n)-glibc)
bench-programs: $(BENCH_PROGRAMS)

define bench_flavour
$(B)/obj/bench/$(1)/%.o: bench/programs/%.c bench/bench.mk
	@mkdir -p $$(@D)
	$$(Q)$$(LINUX_CC_$(1)-static) $$(BENCH_CFLAGS) -MMD -MP -c $$< -o $$@
$(B)/bench/programs/cost-$(1): $(B)/obj/bench/$(1)/cost_ops.o $(B)/obj/bench/$(1)/cost_crowds.o
$(B)/bench/programs/%-$(1): $(B)/obj/bench/$(1)/%.o
	@mkdir -p $$(@D)
	$$(Q)$$(firstword $$(LINUX_CC_$(1)-static)) -pthread -static -o $$@ $$^
endef
$(foreach f,musl glibc,$(eval $(call bench_flavour,$(f))))
