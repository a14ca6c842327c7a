/* The kernel's own view of the ABI: see abi.h. */
#include "test/unit/abi.h"

#include "kernel/linux/abi.h"

/* Made by unit.mk: { "NAME", NAME } for each constant of those headers that is defined here. */
const struct abi_constant abi_ours[] = {
#include "test/unit/abi_constants.h"
	{ NULL, 0 },
};

#define OURS(our_type, our_member, linux_type, linux_member) MEMBER(our_type, our_member)
const struct abi_member abi_ours_members[] = { ABI_MEMBERS(OURS), { NULL, 0, 0 } };
