# Drupe. `make help` lists the targets.
#   make [BUILD=debug] [CC=clang] [V=1]     everything below build/; V=1 prints the commands
# Objects go to build/obj/$(BUILD), images to build/images (BUILD=debug: build/debug/images).

BUILD ?= release
Q     := $(if $(V),,@)
B     := build
OBJ   := $(B)/obj/$(BUILD)
GEN   := $(B)/gen
IMAGES := $(if $(filter debug,$(BUILD)),$(B)/debug/images,$(B)/images)

ifeq ($(origin CC),default)
CC := gcc
endif
HOSTCC ?= $(CC)
WARN   := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla
# An image is linked whole: what is declared extern is in it. Clang has to be told, or it asks a table of addresses (GOT).
DIRECT := $(if $(findstring clang,$(shell $(CC) --version)),-fdirect-access-external-data)
KCFLAGS := -std=gnu17 -O2 -g -include lib/hidden.h -I. -I$(GEN) -ffreestanding -fPIE -fvisibility=hidden \
	-mgeneral-regs-only -mno-red-zone -mcmodel=small -fno-omit-frame-pointer -fno-strict-aliasing -fno-common \
	-ffunction-sections -fdata-sections -fstack-protector-strong -mstack-protector-guard=global -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-jump-tables $(DIRECT) $(WARN) $(if $(filter debug,$(BUILD)),-DDRUPE_DEBUG)
HOSTCFLAGS := -std=gnu17 -O2 -g -I. -I$(GEN) -D_GNU_SOURCE $(WARN)

# What runs in the application, linked by itself: the kernel holds the result (kernel/linux/vdso_image.S).
VDSO       := $(GEN)/kernel/linux/vdso.so
VDSO_CFLAGS := -std=gnu17 -O2 -g -I. -I$(GEN) -ffreestanding -fPIC -fvisibility=hidden -mgeneral-regs-only -fno-jump-tables \
	-fomit-frame-pointer -fasynchronous-unwind-tables -fno-stack-protector -fcf-protection=none $(WARN)
VDSO_LDFLAGS := -m elf_x86_64 -shared -soname linux-vdso.so.1 --eh-frame-hdr --hash-style=both --build-id=none \
	-z max-page-size=4096 -z noexecstack -T kernel/linux/vdso/vdso.ld

KERNEL_SRC := $(sort $(shell find kernel lib -path kernel/linux/vdso -prune -o '(' -name '*.c' -o -name '*.S' ')' -print))
KERNEL_OBJ := $(patsubst %,$(OBJ)/%.o,$(basename $(KERNEL_SRC)))
# Made from the list of the system calls, into $(GEN), which is laid out as the tree is.
GEN_H      := $(GEN)/kernel/linux/syscall_handlers.h
GEN_SRC    := $(addprefix $(GEN)/kernel/linux/,syscall_table.c syscall_names.c errno_names.c)
KERNEL_OBJ += $(GEN_SRC:$(B)/%.c=$(OBJ)/%.o)
KERNEL_LIB := $(OBJ)/libkernel.a
PLATFORM   := qemu

# A bootable image is one C file with a main(), linked with the parts of the kernel that it and the roots reach.
GUEST_SRC  := $(sort $(wildcard test/boot/guest/*.c examples/*.c))
GUEST_IMG  := $(patsubst %.c,$(IMAGES)/boot-%,$(notdir $(GUEST_SRC)))

.PHONY: all images clean
all: images
images: $(GUEST_IMG) $(IMAGES)/linux

$(GEN_H) $(GEN_SRC) &: scripts/syscalls kernel/linux/syscall.tbl lib/errno.h
	$(Q)scripts/syscalls --generate $(GEN)

$(B)/obj/vdso/vdso.o: kernel/linux/vdso/vdso.c Makefile | $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(VDSO_CFLAGS) -MMD -MP -c $< -o $@
$(VDSO): $(B)/obj/vdso/vdso.o kernel/linux/vdso/vdso.ld
	@mkdir -p $(@D)
	$(Q)ld $(VDSO_LDFLAGS) -o $<.so $<
	$(Q)objcopy -S $<.so $@
$(OBJ)/kernel/linux/vdso_image.o: $(VDSO)

$(OBJ)/%.o: %.c Makefile | $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -MMD -MP -c $< -o $@
$(OBJ)/gen/%.o: $(GEN)/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -MMD -MP -c $< -o $@
$(OBJ)/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -D__ASSEMBLY__ -MMD -MP -c $< -o $@

# Every system call passes through these two; a backtrace goes on with their caller.
$(OBJ)/kernel/linux/entry.o $(OBJ)/kernel/linux/syscall.o: KCFLAGS += -fomit-frame-pointer

$(KERNEL_LIB): $(KERNEL_OBJ)
	$(Q)rm -f $@ && ar rcsD $@ $^

vpath %.c test/boot/guest examples
$(OBJ)/guest/%.o: %.c Makefile | $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -MMD -MP -c $< -o $@

SYMTAB := $(B)/bin/drupe-symtab
$(SYMTAB): host/symtab/main.c abi/symtab.h
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTCFLAGS) $< -lelf -o $@

LINK_IMAGE = scripts/link-image -l $(KERNEL_LIB) -t kernel/arch/x86_64/image.ld -s $(SYMTAB) \
	-p kernel/init/platforms/$(PLATFORM)
LINK_NEEDS := $(KERNEL_LIB) $(SYMTAB) scripts/link-image kernel/arch/x86_64/image.ld kernel/init/platforms/$(PLATFORM) Makefile
$(IMAGES)/boot-%: $(OBJ)/guest/%.o $(LINK_NEEDS)
	@mkdir -p $(@D)
	$(Q)$(LINK_IMAGE) -o $@ $<

# The kernel for Linux executables, whose root file system is a boot module: main is kernel/init/linux.c.
$(IMAGES)/linux: $(LINK_NEEDS) scripts/syscalls
	@mkdir -p $(@D)
	$(Q)$(LINK_IMAGE) -o $@ -u "main $$(scripts/syscalls --roots | sed 's/-u //g')"

include test/unit/unit.mk test/fuzz/fuzz.mk test/linux/linux.mk

clean:
	rm -rf $(B)

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
include test/boot/boot.mk bench/bench.mk scripts/tools.mk
