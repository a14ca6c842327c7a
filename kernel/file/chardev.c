/* The list of character devices, short and only ever longer. See chardev.h. */
#include "kernel/file/chardev.h"

#include "kernel/file/abi.h"

static struct spinlock lock = SPINLOCK_INIT("chardev"); /* covers changes of the list */
static struct chardev *chardevs;

void chardev_register(struct chardev *chardev)
{
	spin_lock(&lock);
	chardev->next = chardevs;
	__atomic_store_n(&chardevs, chardev, __ATOMIC_RELEASE);
	spin_unlock(&lock);
}

int chardev_open(struct vnode *vnode, unsigned flags, struct file **out)
{
	unsigned major = dev_major((uint32_t)vnode->rdev), minor = dev_minor((uint32_t)vnode->rdev);
	struct chardev *dev = __atomic_load_n(&chardevs, __ATOMIC_ACQUIRE);

	for (; dev; dev = dev->next)
		if (dev->major == major && minor - dev->minor < dev->nr_minors)
			return dev->open(vnode, flags, out);
	return -ENXIO;
}
