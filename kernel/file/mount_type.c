/* See mount_type.h. */
#include "kernel/file/mount_type.h"

#include "lib/string.h"

static struct spinlock lock = SPINLOCK_INIT("mount_type"); /* covers changes of the list, which only grows */
static struct mount_type *types;

void mount_type_register(struct mount_type *type)
{
	spin_lock(&lock);
	type->next = types;
	__atomic_store_n(&types, type, __ATOMIC_RELEASE);
	spin_unlock(&lock);
}

const struct mount_type *mount_type_find(const char *name)
{
	const struct mount_type *type = __atomic_load_n(&types, __ATOMIC_ACQUIRE);

	while (type && strcmp(type->name, name) != 0)
		type = type->next;
	return type;
}
