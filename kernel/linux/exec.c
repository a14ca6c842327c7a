#include "kernel/linux/exec.h"

#include "kernel/core/log.h"
#include "kernel/core/random.h"
#include "kernel/file/abi.h"
#include "kernel/file/path.h"
#include "kernel/linux/exec_stack.h"
#include "kernel/linux/syscall.h"
#include "kernel/linux/task.h"
#include "kernel/linux/vdso.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"
#include "lib/elf.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Position-independent programs go to a random page from here on; what has no address of its own stays above. */
#define PIE_BASE 0x550000000000ul
#define PIE_PAGES (1ul << 28)
/* The heap begins at a random page behind the program's data. */
#define BRK_PAGES 8192
#define SCRIPT_LINE_MAX 256
#define SCRIPT_DEPTH_MAX 4

/* A program or interpreter that is being loaded. */
struct source {
	const char *path;
	struct file *file;
	struct elf_program elf;
};

static int complain(const char *path, const char *what)
{
	log_err("exec: %s: %s", path, what);
	return -ENOEXEC;
}

static int source_open(struct source *source, const char *path)
{
	struct fs_context *fs = &process_current()->fs;
	int error;

	source->path = path;
	/* O_NONBLOCK: a FIFO is refused like all that is no regular file, not waited for. */
	error = path_open(fs, NULL, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, &source->file);
	if (error)
		return error;
	if (!source->file->vnode || (source->file->vnode->mode & S_IFMT) != S_IFREG)
		error = -EACCES;
	else
		error = vnode_access(source->file->vnode, &fs->cred, MAY_EXEC);
	if (error) {
		file_put(source->file);
		source->file = NULL;
	}
	return error;
}

/* Too large for the stack. NULL: no memory. */
static struct source *source_create(void)
{
	return kzalloc(sizeof(struct source));
}

static void source_free(struct source *source)
{
	if (source->file)
		file_put(source->file);
	kfree(source);
}

static int read_all(struct file *file, void *buf, size_t len, uint64_t off)
{
	ssize_t got = file_read_at(file, buf, len, (int64_t)off);

	return got < 0 ? (int)got : (size_t)got == len ? 0 : -ENOEXEC;
}

static int source_read(struct source *source, const uint8_t *header)
{
	uint64_t len = source->file->vnode->size, off;
	const char *wrong;
	size_t phdrs_len;
	void *phdrs;
	int error;

	wrong = elf_header_check(header, len, &off, &phdrs_len);
	if (wrong)
		return complain(source->path, wrong);
	phdrs = kmalloc(phdrs_len);
	if (!phdrs)
		return -ENOMEM;
	error = read_all(source->file, phdrs, phdrs_len, off);
	wrong = error ? NULL : elf_program_read(header, phdrs, len, &source->elf);
	kfree(phdrs);
	return wrong ? complain(source->path, wrong) : error;
}

static unsigned prot_of(unsigned flags)
{
	return (flags & ELF_READ ? PT_READ : 0) | (flags & ELF_WRITE ? PT_READ | PT_WRITE : 0) |
	       (flags & ELF_EXEC ? PT_READ | PT_EXEC : 0);
}

/* The part of a segment that is in the file, and the zeros up to the end of its last page. */
static int segment_map_file(struct source *source, const struct elf_segment *segment, uintptr_t bias)
{
	struct vmspace *vm = process_current()->vm;
	uintptr_t va = bias + segment->va, start = ALIGN_DOWN(va, PAGE_SIZE), file_end = va + segment->file_len;
	unsigned prot = prot_of(segment->flags);
	int error;

	if (!segment->file_len)
		return 0;
	error = vm_map(vm, &start, file_end - start, prot, VM_FIXED, &source->file->vnode->object,
		       segment->off - (va - start));
	if (!error && segment->mem_len > segment->file_len && !IS_ALIGNED(file_end, PAGE_SIZE) && prot & PT_WRITE)
		error = user_clear((void *)file_end, ALIGN_UP(file_end, PAGE_SIZE) - file_end);
	return error;
}

/* The pages that are zero as a whole. */
static int segment_map_zero(const struct elf_segment *segment, uintptr_t bias)
{
	struct vmspace *vm = process_current()->vm;
	uintptr_t va = bias + segment->va, end = ALIGN_UP(va + segment->mem_len, PAGE_SIZE);
	uintptr_t start = segment->file_len ? ALIGN_UP(va + segment->file_len, PAGE_SIZE) : ALIGN_DOWN(va, PAGE_SIZE);

	return start < end ? vm_map(vm, &start, end - start, prot_of(segment->flags), VM_FIXED, NULL, 0) : 0;
}

static int segments_map(struct source *source, uintptr_t bias)
{
	int error = 0;

	if (source->elf.start + bias < VM_START || source->elf.end + bias > VM_END)
		return complain(source->path, "linked to an address that a program cannot have");
	for (unsigned i = 0; !error && i < source->elf.nr_segments; i++) {
		error = segment_map_file(source, &source->elf.segments[i], bias);
		if (!error)
			error = segment_map_zero(&source->elf.segments[i], bias);
	}
	return error;
}

static uintptr_t pie_place(const struct elf_program *elf)
{
	uintptr_t base = PIE_BASE + random_below(PIE_PAGES) * PAGE_SIZE;

	return ALIGN_DOWN(base, elf->align) - elf->start;
}

/* Room for an interpreter, anywhere; the mapping that holds it is replaced piece by piece. */
static int interp_place(const struct elf_program *elf, uintptr_t *bias)
{
	size_t len = elf->end - elf->start, room = len + elf->align - PAGE_SIZE;
	struct vmspace *vm = process_current()->vm;
	uintptr_t at = 0;
	int error;

	*bias = 0;
	if (!elf->is_pie)
		return 0;
	error = vm_map(vm, &at, room, 0, VM_NORESERVE, NULL, 0);
	*bias = ALIGN_UP(at, elf->align) - elf->start;
	return error;
}

static int interp_map(struct source *interp, struct exec_image *image)
{
	uint8_t header[ELF_HEADER_SIZE] = { 0 };
	uintptr_t bias;
	ssize_t got = file_read_at(interp->file, header, sizeof(header), 0);
	int error = got < 0 ? (int)got : source_read(interp, header);

	if (!error && interp->elf.interp_len)
		error = complain(interp->path, "an interpreter that wants an interpreter");
	if (!error)
		error = interp_place(&interp->elf, &bias);
	if (!error)
		error = segments_map(interp, bias);
	if (error)
		return error == -ENOEXEC ? -ELIBBAD : error;
	image->base = bias;
	image->start = bias + interp->elf.entry;
	return 0;
}

static int interp_load(const char *path, struct exec_image *image)
{
	struct source *interp = source_create();
	int error;

	if (!interp)
		return -ENOMEM;
	error = source_open(interp, path);
	if (error)
		log_err("exec: the interpreter %s cannot be opened: %s", path, errno_name((unsigned)-error));
	else
		error = interp_map(interp, image);
	source_free(interp);
	return error;
}

static int interp_of_program(struct source *program, struct exec_image *image)
{
	char *path;
	int error;

	if (!program->elf.interp_len)
		return 0;
	path = kmalloc(program->elf.interp_len);
	if (!path)
		return -ENOMEM;
	error = read_all(program->file, path, program->elf.interp_len, program->elf.interp_off);
	if (!error && path[program->elf.interp_len - 1])
		error = complain(program->path, "an interpreter's path without an end");
	if (!error)
		error = interp_load(path, image);
	kfree(path);
	return error;
}

static int program_load(struct source *program, struct exec_image *image)
{
	const struct elf_program *elf = &program->elf;
	uintptr_t bias = elf->is_pie ? pie_place(elf) : 0;
	int error = segments_map(program, bias);

	if (error)
		return error;
	*image = (struct exec_image){
		.phdrs = elf->phdr_va ? bias + elf->phdr_va : 0,
		.nr_phdrs = elf->nr_phdr,
		.entry = bias + elf->entry,
		.start = bias + elf->entry,
		.end = bias + elf->end,
		.stack_exec = elf->stack_exec,
	};
	return interp_of_program(program, image);
}

static void process_name(struct process *process, struct source *program)
{
	const char *name = program->path;
	struct task *task = task_current();

	for (const char *c = name; *c; c++)
		if (*c == '/')
			name = c + 1;
	strlcpy(task->comm, name, COMM_MAX);
	strlcpy(task->thread->name, name, sizeof(task->thread->name));
	if (program->file->dentry)
		dentry_get(program->file->dentry);
	process->exe = program->file->dentry;
}

static int image_start(const struct exec_args *args, struct source *program, struct trapframe *frame)
{
	struct process *process = process_current();
	struct exec_image image;
	uintptr_t sp;
	int error = program_load(program, &image);

	if (error)
		return error;
	process->vm->brk_start = process->vm->brk = image.end + random_below(BRK_PAGES) * PAGE_SIZE;
	error = vdso_map(process->vm, &process->vdso);
	if (error)
		return error;
	error = exec_stack_build(args, &image, &sp);
	if (error)
		return error;
	process_name(process, program);
	*frame = (struct trapframe){ .ip = image.start, .sp = sp };
	return 0;
}

/* ---- Scripts ---------------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts "#! INTERPRETER [ARGUMENT]" in LINE: all blanks but those inside the argument are gone. False: no interpreter. */
static bool script_parse(char *line, char **interpreter, char **argument)
{
	char *end = strchr(line, '\n'), *at = line + 2;

	if (!end)
		end = line + strlen(line);
	while (end > at && is_blank(end[-1]))
		end--;
	*end = '\0';
	while (is_blank(*at))
		at++;
	*interpreter = at;
	while (*at && !is_blank(*at))
		at++;
	if (*at)
		*at++ = '\0';
	while (is_blank(*at))
		at++;
	*argument = *at ? at : NULL;
	return **interpreter;
}

static int load_at_depth(const struct exec_args *args, struct trapframe *frame, unsigned depth);

/* execve(2), "Interpreter scripts": INTERPRETER [ARGUMENT] PATH and the arguments but for the first. */
static int script_load(const struct exec_args *args, char *line, struct trapframe *frame, unsigned depth)
{
	struct exec_args inner = { .envp = args->envp };
	char *interpreter, *argument, **argv;
	unsigned n = 0, argc = 0;
	int error;

	if (depth == SCRIPT_DEPTH_MAX)
		return -ELOOP;
	if (!script_parse(line, &interpreter, &argument))
		return complain(args->path, "a script without an interpreter");
	while (args->argv[argc])
		argc++;
	argv = kmalloc((argc + 4) * sizeof(*argv));
	if (!argv)
		return -ENOMEM;
	argv[n++] = interpreter;
	if (argument)
		argv[n++] = argument;
	argv[n++] = (char *)args->path;
	for (unsigned i = 1; i < argc; i++)
		argv[n++] = args->argv[i];
	argv[n] = NULL;
	inner.path = interpreter;
	inner.argv = argv;
	error = load_at_depth(&inner, frame, depth + 1);
	kfree(argv);
	return error;
}

static int load_at_depth(const struct exec_args *args, struct trapframe *frame, unsigned depth)
{
	struct source *program = source_create();
	char head[SCRIPT_LINE_MAX];
	ssize_t got;
	int error;

	if (!program)
		return -ENOMEM;
	error = source_open(program, args->path);
	if (error)
		goto out;
	memset(head, 0, sizeof(head));
	got = file_read_at(program->file, head, sizeof(head) - 1, 0);
	if (got < 0) {
		error = (int)got;
		goto out;
	}
	if (got > 2 && head[0] == '#' && head[1] == '!') {
		error = script_load(args, head, frame, depth);
		goto out;
	}
	error = source_read(program, (const uint8_t *)head);
	if (!error)
		error = image_start(args, program, frame);
out:
	source_free(program);
	return error;
}

int exec_load(const struct exec_args *args, struct trapframe *frame)
{
	return load_at_depth(args, frame, 0);
}
