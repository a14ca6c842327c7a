# The boot tests: the loader of their own, and pytest over every image.
PYTHON      ?= /usr/bin/python3
LOADER_SRC  := $(filter-out %/probe.S,$(sort $(wildcard test/boot/loader/*.c test/boot/loader/*.S)))
LOADER_OBJ  := $(patsubst %,$(B)/obj/loader/%.o,$(notdir $(LOADER_SRC)))
LOADER_FLAGS := -m32 -march=i686 -std=gnu17 -O1 -g -I. -ffreestanding -fno-pic -fno-pie -mno-sse -mno-mmx \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables $(WARN)

.PHONY: loader
loader: $(B)/test/loader $(B)/test/probe

$(B)/obj/loader/%.o: test/boot/loader/%
	@mkdir -p $(@D)
	$(CC) $(LOADER_FLAGS) -MMD -MP -c $< -o $@

$(B)/test/loader: $(LOADER_OBJ) test/boot/loader/loader.ld
	@mkdir -p $(@D)
	ld -m elf_i386 -z noexecstack --no-warn-rwx-segments --build-id=none -T test/boot/loader/loader.ld -o $@ $(LOADER_OBJ)

$(B)/test/probe: test/boot/loader/probe.S
	@mkdir -p $(@D)
	$(CC) -c $< -o $@.o
	ld -z noexecstack --no-warn-rwx-segments --build-id=none -N -Ttext-segment=0x100000 -e start64 -o $@ $@.o
