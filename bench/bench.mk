# The benchmarks: the least kernel, and the shim that counts guest instructions inside QEMU.
.PHONY: bench
bench: images $(B)/bench/floor $(B)/bench/insns.so
	$(PYTHON) bench/run.py $(BENCH)

$(B)/bench/floor: bench/floor.S
	@mkdir -p $(@D)
	$(CC) -m32 -c $< -o $@.o
	ld -m elf_i386 -z noexecstack --no-warn-rwx-segments --build-id=none -N -Ttext-segment=0x100000 -e start -o $@ $@.o

$(B)/bench/insns.so: bench/insns.c
	@mkdir -p $(@D)
	$(HOSTCC) $(HOSTCFLAGS) -shared -fPIC -o $@ $<
