# Drupe. `make help` lists the targets.
#   make [BUILD=debug] [CC=clang] [V=1]     everything below build/; V=1 prints the commands
# Objects go to build/obj/$(BUILD), images to build/images (BUILD=debug: build/debug/images).

BUILD ?= release
Q     := $(if $(V),,@)
B     := build
OBJ   := $(B)/obj/$(BUILD)
IMAGES := $(if $(filter debug,$(BUILD)),$(B)/debug/images,$(B)/images)

ifeq ($(origin CC),default)
CC := gcc
endif
HOSTCC ?= $(CC)
WARN   := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla
# An image is linked whole: what is declared extern is in it. Clang has to be told, or it asks a table of addresses (GOT).
DIRECT := $(if $(findstring clang,$(shell $(CC) --version)),-fdirect-access-external-data)
KCFLAGS := -std=gnu17 -O2 -g -I. -ffreestanding -fPIE -fvisibility=hidden -mgeneral-regs-only -mno-red-zone \
	-mcmodel=small -fno-omit-frame-pointer -fno-strict-aliasing -fno-common -ffunction-sections -fdata-sections \
	-fstack-protector-strong -mstack-protector-guard=global -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-jump-tables $(DIRECT) $(WARN) $(if $(filter debug,$(BUILD)),-DDRUPE_DEBUG)
HOSTCFLAGS := -std=gnu17 -O2 -g -I. -D_GNU_SOURCE $(WARN)
LDFLAGS_IMAGE := -m elf_x86_64 -pie --no-dynamic-linker -z text -z noexecstack -z pack-relative-relocs \
	-z max-page-size=64 --gc-sections --build-id=none --hash-style=gnu -T kernel/arch/x86_64/image.ld

KERNEL_SRC := $(sort $(shell find kernel lib -name '*.c' -o -name '*.S'))
KERNEL_OBJ := $(patsubst %,$(OBJ)/%.o,$(basename $(KERNEL_SRC)))
KERNEL_LIB := $(OBJ)/libkernel.a
PLATFORM   := qemu
ROOTS       = $(addprefix -u ,$(shell sed 's/\#.*//' kernel/init/platforms/$(PLATFORM)))

# A bootable image is one C file with a main(), linked with the parts of the kernel that it and the roots reach.
GUEST_SRC  := $(sort $(wildcard test/boot/guest/*.c examples/*.c))
GUEST_IMG  := $(patsubst %.c,$(IMAGES)/boot-%,$(notdir $(GUEST_SRC)))

.PHONY: all images clean
all: images
images: $(GUEST_IMG)

$(OBJ)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -MMD -MP -c $< -o $@
$(OBJ)/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@

$(KERNEL_LIB): $(KERNEL_OBJ)
	$(Q)rm -f $@ && ar rcsD $@ $^

vpath %.c test/boot/guest examples
$(OBJ)/guest/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -MMD -MP -c $< -o $@

SYMTAB := $(B)/bin/drupe-symtab
$(SYMTAB): host/symtab/main.c abi/symtab.h
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTCFLAGS) $< -lelf -o $@

# Linked twice: the second link holds the symbol table that is made from the first one. The table stands behind the code,
# so no function moves; cmp makes sure of it. The image relocates itself from .relr.dyn alone; the linker's other section of
# relocations, which must be empty, goes, because GRUB refuses an ELF that has one.
$(IMAGES)/boot-%: $(OBJ)/guest/%.o $(KERNEL_LIB) $(SYMTAB) kernel/arch/x86_64/image.ld \
		kernel/init/platforms/$(PLATFORM) Makefile
	@mkdir -p $(@D)
	$(Q)ld $(LDFLAGS_IMAGE) $(ROOTS) -o $<.first $< $(KERNEL_LIB)
	$(Q)$(SYMTAB) $<.first $<.symtab.S
	$(Q)as -o $<.symtab.o $<.symtab.S
	$(Q)ld $(LDFLAGS_IMAGE) $(ROOTS) -o $@ $< $<.symtab.o $(KERNEL_LIB) -Map $@.map
	$(Q)if readelf -rW $@ | grep R_X86_64; then echo "$@: relocations that RELR cannot hold" >&2; rm -f $@; exit 1; fi
	$(Q)objcopy --remove-section=.rela.dyn $@
	$(Q)$(SYMTAB) $@ $<.check.S && cmp $<.symtab.S $<.check.S || { rm -f $@; exit 1; }

include test/unit/unit.mk test/fuzz/fuzz.mk test/linux/linux.mk

clean:
	rm -rf $(B)

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
include test/boot/boot.mk bench/bench.mk scripts/tools.mk
