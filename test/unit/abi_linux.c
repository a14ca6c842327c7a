/* Linux's view of the ABI, as the headers of the build machine have it: see abi.h. None of the C library's may come near. */
#include <stdint.h>
#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <asm/mman.h>
#include <asm/poll.h>
#include <asm/prctl.h>
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/termios.h>
#include <asm/ucontext.h>
#include <linux/auxvec.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/eventpoll.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/inotify.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/signalfd.h>
#include <linux/stat.h>
#include <linux/sysinfo.h>
#include <linux/time.h>
#include <linux/timerfd.h>
#include <linux/timex.h>
#include <linux/wait.h>
#include <linux/xattr.h>

#include "test/unit/abi.h"

const struct abi_constant abi_linux[] = {
#include "test/unit/abi_constants.h"
	{ NULL, 0 },
};

#define THEIRS(our_type, our_member, linux_type, linux_member) MEMBER(linux_type, linux_member)
const struct abi_member abi_linux_members[] = { ABI_MEMBERS(THEIRS), { NULL, 0, 0 } };
