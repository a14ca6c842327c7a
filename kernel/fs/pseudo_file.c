/* Pseudo file systems: contents. See pseudo.h. */
#include "kernel/file/abi.h"
#include "kernel/fs/pseudo_node.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define TEXT_FIRST 256ul
#define TEXT_SLAB_MAX (64ul << 10) /* above that from vmap */
#define TEXT_MAX (64ul << 20)

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static void buffer_free(char *buf, size_t size)
{
	if (size > TEXT_SLAB_MAX)
		vmap_free(buf);
	else
		kfree(buf);
}

static bool text_grow(struct pseudo_text *text, size_t len)
{
	size_t size = text->size ? text->size : TEXT_FIRST;
	char *buf;

	while (size - text->len < len && size < TEXT_MAX)
		size *= 2;
	if (text->failed || size - text->len < len)
		return false;
	buf = size > TEXT_SLAB_MAX ? vmap_alloc(size) : kmalloc(size);
	if (!buf)
		return false;
	if (text->len)
		memcpy(buf, text->buf, text->len);
	buffer_free(text->buf, text->size);
	text->buf = buf;
	text->size = size;
	return true;
}

char *pseudo_room(struct pseudo_text *text, size_t len)
{
	if (text->size - text->len < len && !text_grow(text, len)) {
		text->failed = true;
		return NULL;
	}
	text->len += len;
	return text->buf + text->len - len;
}

void pseudo_write(struct pseudo_text *text, const void *bytes, size_t len)
{
	char *to = pseudo_room(text, len);

	if (to)
		memcpy(to, bytes, len);
}

void pseudo_puts(struct pseudo_text *text, const char *string)
{
	pseudo_write(text, string, strlen(string));
}

void pseudo_printf(struct pseudo_text *text, const char *format, ...)
{
	size_t room = text->size - text->len;
	va_list args;
	int len;

	va_start(args, format);
	len = fmt_vformat(text->buf + text->len, room, format, args);
	va_end(args);
	if ((size_t)len >= room) { /* once more: what fitted was cut */
		if (!text_grow(text, (size_t)len + 1)) {
			text->failed = true;
			return;
		}
		va_start(args, format);
		fmt_vformat(text->buf + text->len, (size_t)len + 1, format, args);
		va_end(args);
	}
	text->len += (size_t)len;
}

void pseudo_text_free(struct pseudo_text *text)
{
	buffer_free(text->buf, text->size);
	*text = (struct pseudo_text){ 0 };
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

struct pseudo_file {
	struct file file;
	struct mutex lock; /* covers text; taken before whatever a generator takes, and held while it is copied out */
	struct pseudo_text text;
};

/* The text begins anew wherever somebody reads from the beginning, as Linux's does: lseek(fd, 0) and read look again. */
static int text_make(struct pseudo_file *file, const struct pseudo_node *node)
{
	int error;

	file->text.len = 0;
	file->text.failed = false;
	error = node->entry->ops->text(&file->text, node->key);
	if (!error && file->text.failed)
		error = -ENOMEM;
	if (error)
		file->text.len = 0;
	return error;
}

static ssize_t text_copy(struct uio *uio, const char *text, size_t len, int64_t *pos)
{
	ssize_t done;

	if ((uint64_t)*pos >= len)
		return 0;
	done = uio_copy_out(uio, text + *pos, len - (size_t)*pos);
	if (done > 0)
		*pos += done;
	return done;
}

static ssize_t pseudo_read(struct file *file, struct uio *uio, int64_t *pos)
{
	struct pseudo_file *pseudo = container_of(file, struct pseudo_file, file);
	struct pseudo_node *node = pseudo_node_of(file->vnode);
	ssize_t done = 0;

	if (node->entry->content)
		return text_copy(uio, node->entry->content, strlen(node->entry->content), pos);
	if (!node->entry->ops->text)
		return -EIO;
	mutex_lock(&pseudo->lock);
	if (!*pos || !pseudo->text.size)
		done = text_make(pseudo, node);
	if (!done)
		done = text_copy(uio, pseudo->text.buf, pseudo->text.len, pos);
	mutex_unlock(&pseudo->lock);
	return done;
}

static ssize_t pseudo_file_write(struct file *file, struct uio *uio, int64_t *pos)
{
	struct pseudo_node *node = pseudo_node_of(file->vnode);
	size_t len = MIN(uio->resid, PAGE_SIZE - 1);
	ssize_t done;
	char *buf;

	if (!node->entry->ops || !node->entry->ops->store)
		return -EIO;
	buf = kmalloc(len + 1);
	if (!buf)
		return -ENOMEM;
	done = uio_copy_in(uio, buf, len);
	if (done >= 0) {
		buf[done] = '\0';
		done = node->entry->ops->store(buf, (size_t)done, node->key);
	}
	if (done > 0)
		*pos += done;
	kfree(buf);
	return done;
}

static int64_t pseudo_seek(struct file *file, int64_t off, int whence)
{
	if (whence == SEEK_CUR && __builtin_add_overflow(off, file->pos, &off))
		return -EOVERFLOW;
	if ((whence != SEEK_SET && whence != SEEK_CUR) || off < 0)
		return -EINVAL;
	file->pos = off;
	return off;
}

static void pseudo_file_release(struct file *file)
{
	struct pseudo_file *pseudo = container_of(file, struct pseudo_file, file);

	pseudo_text_free(&pseudo->text);
	kfree(pseudo);
}

static const struct file_ops pseudo_file_ops = {
	.read = pseudo_read,
	.write = pseudo_file_write,
	.seek = pseudo_seek,
	.release = pseudo_file_release,
};

int pseudo_open(struct vnode *vnode, unsigned flags, struct file **out)
{
	struct pseudo_node *node = pseudo_node_of(vnode);
	struct pseudo_file *pseudo;

	if (node->entry->ops && node->entry->ops->open)
		return node->entry->ops->open(vnode, flags, out, node->key);
	pseudo = kzalloc(sizeof(*pseudo));
	if (!pseudo)
		return -ENOMEM;
	file_init(&pseudo->file, &pseudo_file_ops, flags);
	mutex_init(&pseudo->lock, "pseudo_file");
	*out = &pseudo->file;
	return 0;
}
