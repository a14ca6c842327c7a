# Unit tests on the host: `make unit`, or `make unit-NAME` for one. A test is test/unit/test_NAME.c (cmocka) and one line
# UNIT_NAME with the sources of the tree that it needs. What those call and the line does not name comes from shim/shim.c,
# whose definitions are weak. shim/ stands before the tree on the include path.

UNIT_abi     := $(addprefix test/unit/,abi_ours.c abi_linux.c abi_libc.c)
UNIT_acpi    := test/unit/physmem.c kernel/boot/phys.c \
	$(addprefix kernel/dev/firmware/,acpi_tables.c aml.c dsdt.c fadt.c table.c)
UNIT_args   := kernel/init/args.c lib/cmdline.c
UNIT_bootinfo := test/unit/physmem.c $(addprefix kernel/boot/,bootinfo.c phys.c pvh.c multiboot2.c linux64.c)
UNIT_chacha20 := lib/chacha20.c
UNIT_clock := lib/muldiv.c $(addprefix kernel/,core/clock_measure.c core/clock_source.c core/clock_wall.c dev/clock/pit.c)
UNIT_cmdline := lib/cmdline.c
EROFS_SRC   := test/unit/shim/heap.c test/unit/shim/vnode.c kernel/fs/erofs.c kernel/fs/erofs_data.c kernel/fs/erofs_dir.c \
	kernel/fs/erofs_xattr.c lib/checksum.c lib/rbtree.c
UNIT_erofs  := $(EROFS_SRC) test/unit/erofs_tree.c
UNIT_elf    := lib/elf.c
FILE_SRC    := $(addprefix test/unit/shim/,heap.c wait.c vnode.c path.c) $(addprefix kernel/file/,file.c poll.c lock.c)
UNIT_fdtable := $(FILE_SRC) kernel/file/fdtable.c
UNIT_fmt    := lib/fmt.c
UNIT_lock   := $(FILE_SRC)
UNIT_pipe   := $(FILE_SRC) $(addprefix kernel/file/,pipe.c pipe_end.c fifo.c)
UNIT_epoll  := $(FILE_SRC) lib/rbtree.c $(addprefix kernel/file/,epoll.c epoll_nest.c epoll_wait.c eventfd.c pipe.c \
	pipe_end.c poll_set.c)
UNIT_log    := lib/fmt.c
UNIT_ns16550 :=
UNIT_pci    := kernel/dev/bus/pci_bar.c kernel/dev/bus/pci_msi.c lib/fmt.c
UNIT_panic := lib/fmt.c lib/symtab.c
UNIT_machine := test/unit/physmem.c kernel/boot/phys.c kernel/dev/machine.c kernel/dev/power/acpi.c kernel/dev/power/pc_reset.c
UNIT_mptable := test/unit/physmem.c kernel/boot/phys.c kernel/dev/firmware/table.c kernel/dev/firmware/fw_cfg.c lib/cmdline.c
UNIT_futex  := $(addprefix kernel/linux/,futex.c futex_requeue.c futex_pi.c futex_exit.c)
UNIT_futex_threads :=
UNIT_muldiv := lib/muldiv.c
UNIT_pseudo := test/unit/shim/heap.c test/unit/shim/vnode.c kernel/fs/pseudo.c kernel/fs/pseudo_file.c lib/fmt.c
UNIT_random := lib/chacha20.c
UNIT_rbtree := lib/rbtree.c
UNIT_page   := test/unit/shim/memory.c kernel/mem/page.c kernel/mem/buddy.c kernel/mem/section.c
UNIT_page_table :=
UNIT_page_index := kernel/mem/page_index.c
UNIT_rtc    := kernel/dev/clock/rtc.c
UNIT_sched  := lib/rbtree.c
SLAB_SRC    := kernel/core/spinlock.c kernel/mem/slab.c kernel/mem/kmalloc.c kernel/mem/slab_debug.c kernel/mem/slab_report.c
UNIT_slab   := $(UNIT_page) $(SLAB_SRC)
UNIT_slab_debug := test/unit/shim/memory.c lib/fmt.c
UNIT_vmap   := $(UNIT_slab) kernel/mem/vmap.c kernel/mem/aspace.c lib/rbtree.c
VM_SRC      := $(patsubst %,kernel/mem/%.c,buddy section aspace page_index vmspace vm_area vm_gather vm_map vm_fault vm_object \
	vm_protect vm_remap vm_advise vm_report vm_shared) kernel/arch/x86_64/page_table_lower.c lib/rbtree.c lib/fmt.c
UNIT_vmspace := $(VM_SRC)
UNIT_timers := lib/rbtree.c
UNIT_string :=
UNIT_signal := $(addprefix kernel/linux/,signal.c signal_info.c signal_send.c signal_wait.c signal_deliver.c sigstack.c)
UNIT_signal_frame := test/unit/signal_frame_host.c kernel/linux/x86_64/signal_frame.c kernel/linux/signal_info.c
UNIT_symtab := lib/symtab.c
UNIT_syscall := lib/cmdline.c lib/fmt.c $(addprefix kernel/linux/,syscall.c syscall_trace.c) \
	$(addprefix gen/kernel/linux/,errno_names.c syscall_names.c)
UNIT_tty    := test/unit/tty_host.c test/unit/shim/heap.c test/unit/shim/vnode.c \
	$(addprefix kernel/file/,tty.c tty_input.c tty_ioctl.c)
UNIT_vdso   := lib/muldiv.c $(addprefix kernel/core/,clock_measure.c clock_source.c)
UNIT_virtio_mmio := kernel/dev/firmware/virtio_mmio.c kernel/dev/firmware/aml.c lib/cmdline.c

VFS_SRC     := test/unit/vfs_env.c kernel/mem/page_index.c lib/rbtree.c lib/fmt.c \
	$(addprefix kernel/file/,access.c attr.c change.c chardev.c dentry.c dentry_path.c dir_file.c inotify_event.c mount.c \
	open.c vnode.c vnode_file.c walk.c) \
	$(addprefix kernel/fs/,cache.c tmpfs.c tmpfs_dir.c tmpfs_file.c tmpfs_hole.c tmpfs_map.c tmpfs_readdir.c tmpfs_xattr.c)
UNIT_tmpfs  := $(VFS_SRC)
UNIT_names  := $(VFS_SRC)

UNIT_TESTS  := $(patsubst test/unit/test_%.c,%,$(sort $(wildcard test/unit/test_*.c)))
UNIT_OBJ    := $(B)/obj/unit
UNIT_CFLAGS := $(filter-out -O2 -I.,$(HOSTCFLAGS)) -O1 -Itest/unit/shim -I. -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all
export ASAN_OPTIONS ?= detect_leaks=0

.PHONY: unit $(UNIT_TESTS:%=unit-%)
unit: $(UNIT_TESTS:%=unit-%)

$(UNIT_TESTS:%=unit-%): unit-%: $(B)/unit/%
	$<

$(UNIT_OBJ)/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@
$(UNIT_OBJ)/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

# The names of the ABI's constants, for UNIT_abi.
ABI_CONSTANTS := $(GEN)/test/unit/abi_constants.h
$(ABI_CONSTANTS): $(wildcard kernel/file/abi*.h kernel/linux/abi_*.h kernel/mem/abi.h)
	@mkdir -p $(@D)
	$(Q)sed -nE 's/^#define ([A-Z_0-9]+) .*/#ifdef \1\n{ "\1", (int64_t)(\1) },\n#endif/p' $^ > $@
$(patsubst %,$(UNIT_OBJ)/test/unit/%.o,abi_ours abi_linux abi_libc): $(ABI_CONSTANTS)

$(UNIT_OBJ)/test/unit/test_vdso.o: $(VDSO)

define unit_program
$(B)/unit/$(1): $(UNIT_OBJ)/test/unit/test_$(1).o $(UNIT_OBJ)/test/unit/shim/shim.o $(UNIT_$(1):%.c=$(UNIT_OBJ)/%.o)
	@mkdir -p $$(@D)
	$$(Q)$$(HOSTCC) $$(UNIT_CFLAGS) -o $$@ $$^ -lcmocka
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_program,$(t))))
