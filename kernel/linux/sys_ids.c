/*
 * Who the process is: process, group and session ids (setpgid(2), setsid(2)); user and group ids and what they may do
 * (credentials(7), capabilities(7)). Ids belong to the process, as POSIX has it, so a C library that sets them in
 * every thread sets them several times.
 */
#include "kernel/linux/settings.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "kernel/linux/user_copy.h"
#include "lib/errno.h"

/*
 * ---- Process ids ------------------------------------------------------------------------------------------------
 */

long sys_getpid(void)
{
	return process_current()->pid;
}

long sys_getppid(void)
{
	return process_current()->ppid;
}

long sys_gettid(void)
{
	return task_current()->tid;
}

/* The process that PID, also a thread's, belongs to; 0: the caller's. */
static struct process *process_of(int pid)
{
	struct process *process = process_current();
	unsigned long flags;
	bool found;

	if (pid == 0 || pid == process->pid)
		return process;
	flags = spin_lock_irqsave(&process->lock);
	found = pid > 0 && task_find(process, pid);
	spin_unlock_irqrestore(&process->lock, flags);
	return found ? process : NULL;
}

long sys_getpgid(int pid)
{
	struct process *process = process_of(pid);

	return process ? process->pgid : -ESRCH;
}

long sys_getpgrp(void)
{
	return process_current()->pgid;
}

long sys_getsid(int pid)
{
	struct process *process = process_of(pid);

	return process ? process->sid : -ESRCH;
}

long sys_setpgid(int pid, int pgid)
{
	struct process *process = process_current();

	if (pgid < 0)
		return -EINVAL;
	if (pid && pid != process->pid)
		return process_of(pid) ? -EINVAL : -ESRCH;
	if (process->sid == process->pid)
		return -EPERM;
	/* Its own, or the one that it is in: there is no other. */
	if (pgid && pgid != process->pid && pgid != process->pgid)
		return -EPERM;
	process->pgid = pgid ? pgid : process->pid;
	return 0;
}

long sys_setsid(void)
{
	struct process *process = process_current();

	if (process->pgid == process->pid)
		return -EPERM;
	process->sid = process->pgid = process->pid;
	return process->pid;
}

/*
 * ---- User and group ids -----------------------------------------------------------------------------------------
 */

#define UNCHANGED UINT32_MAX

/* Real, effective, saved, and that of file system access. */
struct ids {
	uint32_t r, e, s, fs;
};

static struct ids ids_get(bool group)
{
	const struct cred *c = &process_current()->fs.cred;

	if (group)
		return (struct ids){ c->gid, c->egid, c->sgid, c->fsgid };
	return (struct ids){ c->uid, c->euid, c->suid, c->fsuid };
}

static void ids_set(bool group, const struct ids *ids)
{
	struct process *process = process_current();
	struct cred *c = &process->fs.cred;
	struct ids old = ids_get(group);

	spin_lock(&process->fs.lock);
	if (group) {
		c->gid = ids->r, c->egid = ids->e, c->sgid = ids->s, c->fsgid = ids->fs;
	} else {
		c->uid = ids->r, c->euid = ids->e, c->suid = ids->s, c->fsuid = ids->fs;
		caps_after_setuid(process, old.r, old.e, old.s);
	}
	spin_unlock(&process->fs.lock);
}

static bool may_set(bool group)
{
	return process_is_capable(process_current(), group ? CAP_SETGID : CAP_SETUID);
}

static bool is_one_of(const struct ids *ids, uint32_t id)
{
	return id == UNCHANGED || id == ids->r || id == ids->e || id == ids->s;
}

static long set_one(bool group, uint32_t id)
{
	struct ids ids = ids_get(group);

	if (id == UNCHANGED)
		return -EINVAL;
	if (may_set(group))
		ids.r = ids.s = id;
	else if (id != ids.r && id != ids.s)
		return -EPERM;
	ids.e = ids.fs = id;
	ids_set(group, &ids);
	return 0;
}

static long set_two(bool group, uint32_t r, uint32_t e)
{
	struct ids old = ids_get(group), ids = old;

	if (!may_set(group) && ((r != UNCHANGED && r != old.r && r != old.e) || !is_one_of(&old, e)))
		return -EPERM;
	if (r != UNCHANGED)
		ids.r = r;
	if (e != UNCHANGED)
		ids.e = e;
	if (r != UNCHANGED || (e != UNCHANGED && e != old.r))
		ids.s = ids.e;
	ids.fs = ids.e;
	ids_set(group, &ids);
	return 0;
}

static long set_three(bool group, uint32_t r, uint32_t e, uint32_t s)
{
	struct ids ids = ids_get(group);

	if (!may_set(group) && (!is_one_of(&ids, r) || !is_one_of(&ids, e) || !is_one_of(&ids, s)))
		return -EPERM;
	if (r != UNCHANGED)
		ids.r = r;
	if (e != UNCHANGED)
		ids.e = e;
	if (s != UNCHANGED)
		ids.s = s;
	ids.fs = ids.e;
	ids_set(group, &ids);
	return 0;
}

static long set_fs(bool group, uint32_t id)
{
	struct ids ids = ids_get(group);
	uint32_t old = ids.fs;

	if (id == UNCHANGED || (!may_set(group) && !is_one_of(&ids, id) && id != old))
		return old;
	ids.fs = id;
	ids_set(group, &ids);
	return old;
}

static long get_three(bool group, uint32_t *r, uint32_t *e, uint32_t *s)
{
	struct ids ids = ids_get(group);

	return copy_out(r, &ids.r, 4) || copy_out(e, &ids.e, 4) || copy_out(s, &ids.s, 4) ? -EFAULT : 0;
}

long sys_getuid(void)
{
	return process_current()->fs.cred.uid;
}

long sys_geteuid(void)
{
	return process_current()->fs.cred.euid;
}

long sys_getgid(void)
{
	return process_current()->fs.cred.gid;
}

long sys_getegid(void)
{
	return process_current()->fs.cred.egid;
}

long sys_setuid(uint32_t uid)
{
	return set_one(false, uid);
}

long sys_setgid(uint32_t gid)
{
	return set_one(true, gid);
}

long sys_setreuid(uint32_t ruid, uint32_t euid)
{
	return set_two(false, ruid, euid);
}

long sys_setregid(uint32_t rgid, uint32_t egid)
{
	return set_two(true, rgid, egid);
}

long sys_setresuid(uint32_t ruid, uint32_t euid, uint32_t suid)
{
	return set_three(false, ruid, euid, suid);
}

long sys_setresgid(uint32_t rgid, uint32_t egid, uint32_t sgid)
{
	return set_three(true, rgid, egid, sgid);
}

long sys_getresuid(uint32_t *ruid, uint32_t *euid, uint32_t *suid)
{
	return get_three(false, ruid, euid, suid);
}

long sys_getresgid(uint32_t *rgid, uint32_t *egid, uint32_t *sgid)
{
	return get_three(true, rgid, egid, sgid);
}

long sys_setfsuid(uint32_t uid)
{
	return set_fs(false, uid);
}

long sys_setfsgid(uint32_t gid)
{
	return set_fs(true, gid);
}

long sys_getgroups(int size, uint32_t *list)
{
	struct process *process = process_current();
	struct cred cred;

	spin_lock(&process->fs.lock);
	cred = process->fs.cred;
	spin_unlock(&process->fs.lock);
	if (size < 0 || (size && (unsigned)size < cred.nr_groups))
		return -EINVAL;
	if (size && copy_out(list, cred.groups, cred.nr_groups * sizeof(cred.groups[0])))
		return -EFAULT;
	return cred.nr_groups;
}

long sys_setgroups(int size, const uint32_t *list)
{
	struct process *process = process_current();
	uint32_t groups[GROUPS_MAX];

	if (!may_set(true))
		return -EPERM;
	if (size < 0 || size > GROUPS_MAX)
		return -EINVAL;
	if (copy_in(groups, list, (unsigned)size * sizeof(groups[0])))
		return -EFAULT;
	spin_lock(&process->fs.lock);
	process->fs.cred.nr_groups = (unsigned)size;
	for (int i = 0; i < size; i++)
		process->fs.cred.groups[i] = groups[i];
	spin_unlock(&process->fs.lock);
	return 0;
}

/*
 * ---- Capabilities -----------------------------------------------------------------------------------------------
 */

/* How many words of each set the caller's structures have. An unknown version is told which one is known. */
static int header_read(struct linux_cap_header *user, struct linux_cap_header *header)
{
	if (copy_in(header, user, sizeof(*header)))
		return -EFAULT;
	switch (header->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		return 1;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		return 2;
	default:
		header->version = _LINUX_CAPABILITY_VERSION_3;
		return copy_out(user, header, sizeof(header->version)) ? -EFAULT : -EINVAL;
	}
}

long sys_capget(struct linux_cap_header *header, struct linux_cap_data *data)
{
	const struct process_caps *caps = &process_current()->settings.caps;
	struct linux_cap_header head;
	struct linux_cap_data sets[2];
	int words = header_read(header, &head);

	if (words < 0)
		return words == -EINVAL && !data ? 0 : words;
	if (head.pid < 0)
		return -EINVAL;
	if (!process_of(head.pid))
		return -ESRCH;
	for (int i = 0; i < 2; i++)
		sets[i] = (struct linux_cap_data){
			(uint32_t)(caps->effective >> 32 * i),
			(uint32_t)(caps->permitted >> 32 * i),
			(uint32_t)(caps->inheritable >> 32 * i),
		};
	return data ? copy_out(data, sets, (unsigned)words * sizeof(sets[0])) : 0;
}

static int caps_change(struct process_caps *caps, const struct process_caps *new)
{
	bool setpcap = caps->effective >> CAP_SETPCAP & 1;

	if (new->permitted & ~caps->permitted || new->effective & ~new->permitted)
		return -EPERM;
	if (!setpcap && new->inheritable & ~(caps->inheritable | caps->permitted))
		return -EPERM;
	if (new->inheritable & ~(caps->inheritable | caps->bounding))
		return -EPERM;
	caps->effective = new->effective;
	caps->permitted = new->permitted;
	caps->inheritable = new->inheritable;
	caps->ambient &= caps->permitted & caps->inheritable;
	return 0;
}

long sys_capset(struct linux_cap_header *header, const struct linux_cap_data *data)
{
	struct process *process = process_current();
	struct linux_cap_data sets[2] = { 0 };
	struct linux_cap_header head;
	struct process_caps new = { 0 };
	int words = header_read(header, &head), err;

	if (words < 0)
		return words;
	if (head.pid && !process_of(head.pid))
		return -EPERM;
	if (copy_in(sets, data, (unsigned)words * sizeof(sets[0])))
		return -EFAULT;
	new.effective = (sets[0].effective | (uint64_t)sets[1].effective << 32) & CAPS_ALL;
	new.permitted = (sets[0].permitted | (uint64_t)sets[1].permitted << 32) & CAPS_ALL;
	new.inheritable = (sets[0].inheritable | (uint64_t)sets[1].inheritable << 32) & CAPS_ALL;
	spin_lock(&process->fs.lock);
	err = caps_change(&process->settings.caps, &new);
	spin_unlock(&process->fs.lock);
	return err;
}
