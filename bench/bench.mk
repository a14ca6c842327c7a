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
BENCH_PROGRAMS := $(foreach n,cost hello init spin,$(B)/bench/programs/$(n)-musl $(B)/bench/programs/$(n)-glibc)
BENCH_CFLAGS   := -std=gnu17 -O2 -D_GNU_SOURCE -I. $(WARN) -pthread -static
bench-programs: $(BENCH_PROGRAMS)
$(B)/bench/programs/cost-musl $(B)/bench/programs/cost-glibc: bench/programs/cost_ops.c bench/programs/cost_crowds.c
$(B)/bench/programs/%-musl: bench/programs/%.c bench/programs/cost.h
	@mkdir -p $(@D)
	$(Q)$(LINUX_CC_musl-static) $(BENCH_CFLAGS) -o $@ $(filter %.c,$^)
$(B)/bench/programs/%-glibc: bench/programs/%.c bench/programs/cost.h
	@mkdir -p $(@D)
	$(Q)$(LINUX_CC_glibc-static) $(BENCH_CFLAGS) -o $@ $(filter %.c,$^)
