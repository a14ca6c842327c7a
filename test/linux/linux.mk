# The oracle tests: test/linux/NAME.c is an ordinary Linux program that prints TAP. `make oracle` runs each on this machine's
# own Linux; test_linux.py compares that with a guest. Each is built three times, from objects in build/obj/linux/FLAVOUR.
LINUX_TESTS    := $(patsubst test/linux/%.c,%,$(sort $(wildcard test/linux/*.c)))
LINUX_FLAVOURS := glibc-dynamic glibc-static musl-static
LINUX_PROGRAMS := $(foreach f,$(LINUX_FLAVOURS),$(LINUX_TESTS:%=$(B)/test/linux/$(f)/%))
# Random system calls as root, all that there is of something, faults: for guests only.
ORACLE         := $(filter-out fuzz-syscalls exhaust crash,$(LINUX_TESTS))
# Tests hand null and wild pointers to functions that are declared to refuse them.
LINUX_CFLAGS   := -std=gnu17 -O1 -Wall -Wextra -Werror -Wno-nonnull -D_GNU_SOURCE -I. -pthread

LINUX_CC_glibc-dynamic := $(HOSTCC) -DDYNAMIC
LINUX_CC_glibc-static  := $(HOSTCC)
# musl comes without the kernel's headers: those stand behind its own on the path.
LINUX_CC_musl-static   := musl-gcc -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu
LINUX_LD_glibc-dynamic := -pthread
LINUX_LD_glibc-static  := -pthread -static
LINUX_LD_musl-static   := -pthread -static

.PHONY: linux-tests oracle
linux-tests: $(LINUX_PROGRAMS)

define linux_flavour
$(B)/obj/linux/$(1)/%.o: test/linux/%.c test/linux/linux.mk
	@mkdir -p $$(@D)
	$$(Q)$$(LINUX_CC_$(1)) $$(LINUX_CFLAGS) -MMD -MP -c $$< -o $$@

$(B)/test/linux/$(1)/%: $(B)/obj/linux/$(1)/%.o
	@mkdir -p $$(@D)
	$$(Q)$$(firstword $$(LINUX_CC_$(1))) -o $$@ $$< $$(LINUX_LD_$(1))
endef
$(foreach f,$(LINUX_FLAVOURS),$(eval $(call linux_flavour,$(f))))

oracle: linux-tests
	@failed=; for f in $(LINUX_FLAVOURS); do for t in $(ORACLE); do \
		timeout 60 $(B)/test/linux/$$f/$$t >$(B)/test/linux/$$f/$$t.tap </dev/null || failed="$$failed $$f/$$t"; \
		grep -H '^not ok' $(B)/test/linux/$$f/$$t.tap; done; \
		echo "$$f: $$(cat $(B)/test/linux/$$f/*.tap | grep -c '^ok') checks passed"; done; \
	[ -z "$$failed" ] || { echo "oracle: failed:$$failed" >&2; exit 1; }
