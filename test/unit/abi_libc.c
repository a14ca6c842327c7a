/* What the C library says of constants that stand in no header of Linux's, or not for its users: see abi.h. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/abi.h"

const struct abi_constant abi_libc[] = {
#include "test/unit/abi_constants.h"
	{ NULL, 0 },
};
